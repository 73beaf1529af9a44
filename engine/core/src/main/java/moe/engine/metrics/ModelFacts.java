package moe.engine.metrics;

import java.util.Optional;

/// The model of a run.
///
/// @param family for example `gpt2`
/// @param weights what they started from, in words: `random weights (seed 42)` or a directory
/// @param parameters of the whole model
/// @param activeParameters that work on one token
/// @param moe its experts; empty for a dense model
public record ModelFacts(
    String family,
    String weights,
    int layers,
    int heads,
    int dModel,
    int dHidden,
    int vocab,
    long parameters,
    long activeParameters,
    Optional<Moe> moe) {
  /// The experts of each layer.
  ///
  /// @param router its type
  public record Moe(int experts, int topK, String router) {}
}
