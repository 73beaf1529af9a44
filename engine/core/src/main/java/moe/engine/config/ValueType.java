package moe.engine.config;

/// The types a key can have.
enum ValueType {
  WHOLE("a whole number"),
  NUMBER("a number"),
  FLAG("true or false"),
  TEXT("a text"),
  TEXTS("a list of texts"),
  WORD("a word"),
  DURATION("a duration such as \"90s\", \"5m\" or \"1h30m\"");

  private final String noun;

  ValueType(String noun) {
    this.noun = noun;
  }

  /// For example `a whole number`.
  String noun() {
    return noun;
  }

  /// Whether the value stands in quotes in a file.
  boolean quoted() {
    return switch (this) {
      case TEXT, WORD, DURATION -> true;
      case WHOLE, NUMBER, FLAG, TEXTS -> false;
    };
  }
}
