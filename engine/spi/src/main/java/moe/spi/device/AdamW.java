package moe.spi.device;

/// The settings of AdamW that stay the same over a run; Loshchilov and Hutter, arXiv 1711.05101.
///
/// What changes from step to step (learning rate, bias corrections) travels in a tensor, so that a
/// captured CUDA graph can be replayed.
///
/// @param beta1 decay of the first moment
/// @param beta2 decay of the second moment
/// @param epsilon added to the root of the second moment
/// @param weightDecay decoupled decay, multiplied by the learning rate
public record AdamW(float beta1, float beta2, float epsilon, float weightDecay) {}
