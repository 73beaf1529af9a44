package moe.engine.config;

/// How many experts a token gets.
public enum ExpertCount {
  /// As many as `moe.top_k` for each.
  TOP_K,
  /// As many as it takes until their probabilities reach `p`.
  TOP_P
}
