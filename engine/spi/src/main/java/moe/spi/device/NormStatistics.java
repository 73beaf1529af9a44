package moe.spi.device;

/// What a layer norm keeps of each row for its backward.
///
/// @param mean F32 `[tokens]`
/// @param inverseDeviation F32 `[tokens]`, `1/√(variance + ε)`
public record NormStatistics(Tensor mean, Tensor inverseDeviation) {}
