package moe.engine.config;

/// The number format of matrix products.
public enum Compute {
  /// The fastest that the backend holds to its tolerance.
  AUTO,
  /// IEEE 754 binary32.
  F32,
  /// Inputs rounded to 10 fraction bits, sums in binary32.
  TF32,
  /// Inputs rounded to bfloat16, sums in binary32.
  BF16,
  /// Inputs rounded to binary16, sums in binary32.
  F16
}
