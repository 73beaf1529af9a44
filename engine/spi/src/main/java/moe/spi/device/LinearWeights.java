package moe.spi.device;

import org.jspecify.annotations.Nullable;

/// The weights of `y = W·x + b`, or their gradients.
///
/// @param weight F32 or BF16 `[out, in]`
/// @param bias F32 `[out]`
public record LinearWeights(Tensor weight, @Nullable Tensor bias) {}
