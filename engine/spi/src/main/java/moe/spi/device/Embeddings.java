package moe.spi.device;

/// Token and position embeddings, or their gradients.
///
/// @param tokens F32 or BF16 `[vocab, dModel]`
/// @param positions F32 `[nPositions, dModel]`
public record Embeddings(Tensor tokens, Tensor positions) {}
