package moe.backend.cuda;

import moe.spi.device.DType;

/// The kernels of `grouped_gemm.cuh`, by the most rows of a tile; F32 is the type they write, else
/// that of the rows.
///
/// @param bf16 of gradients and forward
/// @param f16 the same for binary16, forward alone
/// @param rows the most of a tile
record HalfGemm(Kernel bf16, Kernel f16, int rows) {
  static final HalfGemm UP_32 = of("experts_up", "moe_experts_up_n32", 32);
  static final HalfGemm UP_32_GATED = of("experts_up", "moe_experts_up_gated_n32", 32);
  static final HalfGemm UP_128 = of("experts_up", "moe_experts_up_rows_n128", 128);
  static final HalfGemm UP_128_GATED = of("experts_up", "moe_experts_up_rows_gated_n128", 128);
  static final HalfGemm UP_256_GELU = of("experts_up", "moe_experts_up_rows_gelu_n256", 256);
  static final HalfGemm UP_256_GATED_SILU =
      of("experts_up", "moe_experts_up_rows_gated_silu_n256", 256);
  static final HalfGemm DOWN_32 = of("experts_down", "moe_experts_down_f32_n32", 32);
  static final HalfGemm DOWN_128 = of("experts_down", "moe_experts_down_n128", 128);
  static final HalfGemm DOWN_256 = of("experts_down", "moe_experts_down_n256", 256);
  static final HalfGemm DOWN_128_F32 = of("experts_down", "moe_experts_down_f32_n128", 128);
  static final HalfGemm DOWN_256_F32 = of("experts_down", "moe_experts_down_f32_n256", 256);
  static final HalfGemm BACK_128 = of("experts_back", "moe_experts_back_n128", 128);
  static final HalfGemm BACK_256 = of("experts_back", "moe_experts_back_n256", 256);
  static final HalfGemm BACK_128_F32 = of("experts_back", "moe_experts_back_f32_n128", 128);
  static final HalfGemm BACK_256_F32 = of("experts_back", "moe_experts_back_f32_n256", 256);

  private static HalfGemm of(String image, String name, int rows) {
    Kernel f16 = new Kernel("experts_f16", name.replace("moe_experts_", "moe_experts_f16_"));
    return new HalfGemm(new Kernel(image, name), f16, rows);
  }

  Kernel kernel(DType type) {
    return type == DType.F16 ? f16 : bf16;
  }

  int sharedBytes(int experts) {
    return sharedBytes(rows, experts);
  }

  /// As `gemmSharedBytes`.
  static int sharedBytes(int rows, int experts) {
    int stages = rows == 32 ? 10 : rows == 128 ? 6 : 4;
    return 1024
        + stages * (16384 + rows * 128)
        + 4 * 4096
        + 2 * stages * 8
        + 48
        + 8 * rows
        + 8 * (experts + 1);
  }
}
