package moe.conformance.trial;

import moe.conformance.reference.Bounded;
import moe.spi.device.Compute;

/// How large an error may be, by the format in which a backend multiplies matrices.
///
/// @param element the largest of an element, relative to the sum of the absolute values of its
///   terms
/// @param norm of a gradient of a block, relative to its own norm
public record Tolerance(double element, double norm) {
  /// Some roundings to float32. Gradients of a block are right to 1e-6 of their norm.
  public static final Tolerance F32 = new Tolerance(Bounded.FLOAT32, 1e-6);

  /// TF32 and binary16 have 10 fraction bits: 4 roundings of 2⁻¹¹ each. The CUDA backend measures
  /// 7.0e-4 (the gradient of linear).
  private static final Tolerance TEN_BITS = new Tolerance(4 * 0x1p-11, 1e-3);

  /// 4 roundings to bfloat16 of 2⁻⁸ each. The CUDA backend measures 7.3e-3 (gradients of the
  /// baseline); PyTorch's own bfloat16 is within 7e-3 of float32 on blocks.
  private static final Tolerance BF16 = new Tolerance(4 * 0x1p-8, 6e-3);

  /// That of results of products in a format.
  ///
  /// @param compute not `AUTO`
  public static Tolerance of(Compute compute) {
    return switch (compute) {
      case AUTO -> throw new IllegalArgumentException("AUTO is no format");
      case F32 -> F32;
      case TF32, F16 -> TEN_BITS;
      case BF16 -> BF16;
    };
  }

  /// That of a feature's results: what multiplies no matrices is as in float32 in every format, and
  /// weights in BF16 allow to round what is multiplied with them.
  static Tolerance of(Feature feature, Compute compute) {
    Tolerance format = feature.multiplies() ? of(compute) : F32;
    return switch (feature.type()) {
      case F32, I32 -> format;
      case F16, BF16 -> BF16;
    };
  }
}
