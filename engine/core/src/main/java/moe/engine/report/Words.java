package moe.engine.report;

import com.google.errorprone.annotations.FormatMethod;
import com.google.errorprone.annotations.FormatString;
import java.util.Locale;

/// Numbers and times as people read them.
final class Words {
  private Words() {}

  /// A count: `9,216`, `1.84 million`, `281 million`, `1.20 billion`.
  static String count(long value) {
    if (value >= 1_000_000_000) {
      return number(value / 1e9) + " billion";
    }
    return value >= 1_000_000 ? number(value / 1e6) + " million" : say("%,d", value);
  }

  /// A count with its noun: `1 step`, `2 steps`.
  static String count(long value, String noun) {
    return count(value) + " " + noun + (value == 1 ? "" : "s");
  }

  /// A value with about three digits: `50,257`, `502`, `36.1`, `4.32`, `0.0123`.
  static String number(double value) {
    if (!Double.isFinite(value)) {
      return Double.isNaN(value) ? "not a number" : "infinite";
    }
    double size = Math.abs(value);
    if (size >= 100 || size == 0) {
      return say("%,.0f", value);
    }
    return size >= 10 ? say("%.1f", value) : size >= 1 ? say("%.2f", value) : say("%.3g", value);
  }

  /// A share of 1: `98 %`, `0.4 %`.
  static String percent(double share) {
    double percent = share * 100;
    boolean fine = (percent > 0 && percent < 1) || (percent > 99 && percent < 100);
    return say(fine ? "%.1f %%" : "%.0f %%", percent);
  }

  /// A factor: `1.3 ×`.
  static String times(double factor) {
    return say(factor >= 10 ? "%.0f ×" : "%.1f ×", factor);
  }

  /// Milliseconds of one step: `480 ms`, `5.2 s`.
  static String millis(double millis) {
    return millis >= 10_000
        ? say("%.1f s", millis / 1e3)
        : millis >= 1000 ? say("%.2f s", millis / 1e3) : number(millis) + " ms";
  }

  /// The time of a run: `12.4 s`, `4 min 12 s`, `2 h 3 min`.
  static String duration(double seconds) {
    if (seconds < 60) {
      return say("%.1f s", seconds);
    }
    long whole = Math.round(seconds);
    return whole < 3600
        ? say("%d min %d s", whole / 60, whole % 60)
        : say("%d h %d min", whole / 3600, whole % 3600 / 60);
  }

  /// Bytes: `6.2 GiB`, `512 MiB`.
  static String bytes(long bytes) {
    return bytes >= 1L << 30
        ? say("%.1f GiB", bytes / (double) (1L << 30))
        : say("%d MiB", bytes >> 20);
  }

  /// `String.format` in no country's language.
  @FormatMethod
  static String say(@FormatString String format, Object... values) {
    return String.format(Locale.ROOT, format, values);
  }
}
