package moe.spi.device;

/// The moments AdamW keeps of one parameter.
///
/// @param first F32, shape of the parameter: running mean of the gradient
/// @param second F32, shape of the parameter: running mean of the squared gradient
public record AdamWState(Tensor first, Tensor second) {}
