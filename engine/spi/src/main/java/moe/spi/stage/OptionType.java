package moe.spi.stage;

/// The type of a stage's own setting in a pipeline file.
public enum OptionType {
  /// `true` or `false`, a `Boolean`.
  FLAG,
  /// A whole number, a `Long`.
  WHOLE,
  /// A number with or without a fraction, a `Double`.
  NUMBER,
  /// A text, a `String`.
  TEXT
}
