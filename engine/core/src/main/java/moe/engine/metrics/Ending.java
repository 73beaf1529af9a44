package moe.engine.metrics;

import java.util.Locale;

/// Why a run ended.
///
/// @param reason the kind of end
/// @param detail more words, for example the error's line; may be empty
public record Ending(Reason reason, String detail) {
  /// Kinds of end.
  public enum Reason {
    /// Not ended, or killed before it could say so.
    RUNNING,
    /// All planned steps were made.
    COMPLETED,
    /// `run.time_limit` passed.
    TIME_LIMIT,
    /// The user stopped it.
    INTERRUPTED,
    /// The loss became NaN or infinite.
    DIVERGED,
    /// An error stopped it.
    FAILED;

    /// The name in `summary.json`, for example `time_limit`.
    public String key() {
      return name().toLowerCase(Locale.ROOT);
    }
  }

  /// An end that needs no more words.
  public static Ending of(Reason reason) {
    return new Ending(reason, "");
  }
}
