package moe.engine.metrics;

/// The text of a run.
///
/// @param name a built-in corpus or a path
/// @param trainTokens tokens of the training part; 0 if none is trained on
/// @param heldOutTokens tokens of the held-out part
/// @param batchSize sequences of a step
/// @param seqLength tokens of a sequence
public record TextFacts(
    String name, long trainTokens, long heldOutTokens, int batchSize, int seqLength) {}
