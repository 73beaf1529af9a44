package moe.backend.cuda.stage;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.LinkedHashMap;
import java.util.Map;
import moe.backend.cuda.Twins;
import moe.backend.cuda.Twins.Gap;
import moe.spi.device.Activation;
import moe.spi.device.Compute;
import moe.spi.device.DType;
import moe.spi.stage.LayerSpec;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// A block that multiplies in bf16, staged and fused, beside the CPU's in float32. Without a GPU
/// the kernels for compute capability 9.0 are played by `HopperKernels`.
class HalfBlockTest {
  // Both sides start from numbers of bf16, as the peers in bench/gpu-peers are checked: what is
  // left
  // is the rounding to 8 bits of rows between products, measured up to 4e-3. Without that, rounding
  // the inputs comes on top (6.8e-3), and decides ReLU's slope at hidden values near 0 (2e-2).
  private static final double HALF = 6e-3;

  @ParameterizedTest
  @CsvSource({
    "0, 8, 16, 5, 1, GELU, false, true", "1, 64, 136, 5, 2, GELU, false, true",
    "31, 64, 136, 5, 2, SILU, true, false", "33, 136, 72, 5, 3, SILU, false, true",
    "97, 72, 40, 3, 1, SILU, true, true", "33, 64, 130, 5, 2, GELU, false, true",
    "300, 16, 24, 2, 2, GELU, true, false", "45, 72, 136, 5, 2, RELU, false, true",
    "64, 64, 64, 1, 1, GELU, false, true"
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
    for (boolean portable : new boolean[] {false, true}) {
      trains(portable, tokens, dModel, dHidden, experts, topK, activation, gated, bias);
    }
  }

  private static void trains(
      boolean portable,
      int tokens,
      int dModel,
      int dHidden,
      int experts,
      int topK,
      Activation activation,
      boolean gated,
      boolean bias) {
    for (boolean training : new boolean[] {true, false}) {
      // A gradient of the router is a sum that may cancel out: of few tokens, draws go together.
      int draws = training && tokens <= 33 ? 3 : 1;
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
        Map<String, Gap> gaps = new LinkedHashMap<>();
        for (int seed = 0; seed < draws; seed++) {
          try (Twins at = new Twins(32, Compute.BF16, seed, portable)) {
            at.roundRandoms();
            BlockTest.check(
                at, spec, tokens, fused, (what, of, _) -> gaps.merge(what, at.gap(of), Gap::plus));
          }
        }
        gaps.forEach((what, gap) ->
            assertThat(gap.relative())
                .as("relative error of %s, fused %s, training %s", what, fused, training)
                .isLessThanOrEqualTo(HALF));
      }
    }
  }
}
