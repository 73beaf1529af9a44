package moe.spi.device;

import java.util.Locale;

/// The number format in which matrix products multiply; they always add up in binary32.
public enum Compute {
  /// What the backend takes by default; `Backend.precision` says which it is.
  AUTO,
  /// IEEE 754 binary32.
  F32,
  /// Inputs rounded to 10 fraction bits.
  TF32,
  /// Inputs rounded to bfloat16.
  BF16,
  /// Inputs rounded to binary16.
  F16;

  /// The name in pipeline files and options: `bf16`.
  public String key() {
    return name().toLowerCase(Locale.ROOT);
  }
}
