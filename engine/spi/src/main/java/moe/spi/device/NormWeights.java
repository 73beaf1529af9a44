package moe.spi.device;

/// The weights of a layer norm, or their gradients.
///
/// @param gain F32 `[dModel]`
/// @param bias F32 `[dModel]`
public record NormWeights(Tensor gain, Tensor bias) {}
