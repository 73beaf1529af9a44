package moe.engine.generate;

import java.util.List;

/// A prompt and what the model made of it.
///
/// @param promptTokens the ids of the prompt
/// @param tokens the ids that followed, without an end of text
/// @param text the characters of `tokens`
/// @param promptNanos time until the first token was chosen
/// @param decodeNanos time for all further ones
/// @param choices tokens chosen, among them an end of text
public record Generation(
    List<Integer> promptTokens,
    List<Integer> tokens,
    String text,
    Stop stop,
    long promptNanos,
    long decodeNanos,
    int choices) {
  public Generation {
    promptTokens = List.copyOf(promptTokens);
    tokens = List.copyOf(tokens);
  }

  /// Why no further token came.
  public enum Stop {
    /// The model ended the text.
    END_OF_TEXT,
    /// As many tokens as asked for.
    MAX_TOKENS,
    /// The model has no position for another token.
    POSITIONS
  }

  /// Tokens of the prompt per second.
  public double promptTokensPerSecond() {
    return promptTokens.size() * 1e9 / promptNanos;
  }

  /// Tokens per second behind the first one, which belongs to the prompt's time; NaN without any.
  public double decodeTokensPerSecond() {
    return choices < 2 ? Double.NaN : (choices - 1) * 1e9 / decodeNanos;
  }
}
