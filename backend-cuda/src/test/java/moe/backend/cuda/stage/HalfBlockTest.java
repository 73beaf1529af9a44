package moe.backend.cuda.stage;

import moe.backend.cuda.Twins;
import moe.spi.device.Activation;
import moe.spi.device.Compute;
import moe.spi.device.DType;
import moe.spi.stage.LayerSpec;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// A block that multiplies in bf16, staged and fused, beside the CPU's in float32. Without a GPU
/// the kernels for compute capability 9.0 are played by `HopperKernels`.
class HalfBlockTest {
  // Rounding to 8 bits before each of up to four products: measured up to 4e-3. No ReLU: rounding
  // decides its slope near 0.
  private static final double HALF = 6e-3;

  @ParameterizedTest
  @CsvSource({
    "0, 8, 16, 5, 1, GELU, false, true", "1, 64, 136, 5, 2, GELU, false, true",
    "31, 64, 136, 5, 2, SILU, true, false", "33, 136, 72, 5, 3, SILU, false, true",
    "97, 72, 40, 3, 1, SILU, true, true", "33, 64, 130, 5, 2, GELU, false, true",
    "300, 16, 24, 2, 2, GELU, true, false"
  })
  void trainsInHalfPrecision(
      int tokens,
      int dModel,
      int dHidden,
      int experts,
      int topK,
      Activation activation,
      boolean gated,
      boolean bias) {
    for (boolean training : new boolean[] {true, false}) {
      var spec =
          new LayerSpec(
              Math.max(1, tokens),
              dModel,
              dHidden,
              experts,
              topK,
              activation,
              gated,
              bias,
              DType.F32,
              training);
      for (boolean fused : new boolean[] {false, true}) {
        try (Twins at = new Twins(32, Compute.BF16)) {
          // Of one token few numbers are compared, so that their errors do not even out: up to
          // 1.4e-2.
          double tolerance = tokens == 1 ? 4 * HALF : HALF;
          BlockTest.check(at, spec, tokens, fused, tolerance, tolerance);
        }
      }
    }
  }
}
