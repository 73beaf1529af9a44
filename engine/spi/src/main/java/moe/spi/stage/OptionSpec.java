package moe.spi.stage;

import java.util.List;

/// A setting that a stage reads from its section of the pipeline file. Keys that neither the engine
/// nor a factory declares are errors, so a misspelt one never goes unnoticed.
///
/// @param key as written in the file, lower case with underscores: `history_size`
/// @param type what the value must be
/// @param least the smallest number allowed; of no meaning for flags and texts
/// @param most the largest number allowed; of no meaning for flags and texts
/// @param allowed the texts allowed; empty if any is
/// @param summary one line for the user: what it does, its unit and its default
public record OptionSpec(
    String key, OptionType type, double least, double most, List<String> allowed, String summary) {
  public OptionSpec {
    if (!key.matches("[a-z][a-z0-9_]*")) {
      throw new IllegalArgumentException(
          "option key '%s': must be lower case letters, digits and _".formatted(key));
    }
    if (!(least <= most)) {
      throw new IllegalArgumentException(
          "option %s: least = %s is above most = %s".formatted(key, least, most));
    }
    allowed = List.copyOf(allowed);
  }

  /// A truth value.
  public static OptionSpec flag(String key, String summary) {
    return new OptionSpec(key, OptionType.FLAG, 0, 0, List.of(), summary);
  }

  /// A whole number between `least` and `most`, both inclusive.
  public static OptionSpec whole(String key, long least, long most, String summary) {
    return new OptionSpec(key, OptionType.WHOLE, least, most, List.of(), summary);
  }

  /// A number between `least` and `most`, both inclusive.
  public static OptionSpec number(String key, double least, double most, String summary) {
    return new OptionSpec(key, OptionType.NUMBER, least, most, List.of(), summary);
  }

  /// One of these texts, or any text if none is given.
  public static OptionSpec text(String key, String summary, String... allowed) {
    return new OptionSpec(key, OptionType.TEXT, 0, 0, List.of(allowed), summary);
  }
}
