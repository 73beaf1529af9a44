package moe.spi.device;

/// Keys and values of the positions already seen by one layer.
///
/// @param keys F32 `[batch, heads, maxLength, headSize]`
/// @param values F32 `[batch, heads, maxLength, headSize]`
public record KvCache(Tensor keys, Tensor values) {}
