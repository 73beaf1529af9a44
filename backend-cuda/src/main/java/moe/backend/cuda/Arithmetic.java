package moe.backend.cuda;

/// How matrix products multiply. Sums are always float32.
enum Arithmetic {
  /// Fused multiply-adds in float32.
  F32,
  /// Tensor cores, with inputs rounded to 10 fraction bits.
  TF32,
  /// Tensor cores, with inputs rounded to bfloat16; as `TF32` where there is no kernel for that.
  BF16,
  /// The same with binary16, forward; gradients as `TF32`, which has as many fraction bits and the
  /// range of float32.
  F16
}
