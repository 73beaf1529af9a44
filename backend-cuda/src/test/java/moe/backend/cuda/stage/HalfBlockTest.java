package moe.backend.cuda.stage;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.EnumSet;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import moe.backend.cuda.Format;
import moe.backend.cuda.Gap;
import moe.backend.cuda.Twins;
import moe.spi.device.Activation;
import moe.spi.device.Compute;
import moe.spi.device.DType;
import moe.spi.stage.LayerSpec;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// A block that multiplies in 16 bits, staged and fused, beside the CPU's in float32. Without a GPU
/// the kernels for compute capability 9.0 are played by `HopperKernels`.
class HalfBlockTest {
  private static final Set<Format> HALVES =
      EnumSet.of(Format.BF16, Format.BF16_PORTABLE, Format.F16, Format.F16_PORTABLE);

  // Both sides start from numbers of bf16, as the peers in bench/gpu-peers are checked: what is
  // left is the rounding of rows between products. Rounding the inputs would come on top
  // (`PrecisionTest` holds that), and decide ReLU's slope at hidden values near 0 (2e-2).
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
    for (Format format : HALVES) {
      trains(format, tokens, dModel, dHidden, experts, topK, activation, gated, bias);
    }
  }

  private static void trains(
      Format format,
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
        // Between them these two take all kernels, and emulation is slow.
        if (training != fused) {
          trains(format, spec, tokens, fused);
        }
      }
    }
  }

  private static void trains(Format format, LayerSpec spec, int tokens, boolean fused) {
    // A gradient of the router is a sum that may cancel out: of few tokens, draws go together
    // where errors are large.
    boolean mayCancel = spec.training() && tokens <= 33;
    int draws = mayCancel && format.compute == Compute.BF16 ? 3 : 1;
    Map<String, Gap> gaps = new LinkedHashMap<>();
    for (int seed = 0; seed < draws; seed++) {
      try (Twins at = new Twins(32, format, seed)) {
        at.roundRandoms();
        BlockTest.check(
            at, spec, tokens, fused, (what, of, _) -> gaps.merge(what, at.gap(of), Gap::plus));
      }
    }
    gaps.forEach((what, gap) ->
        assertThat(gap.relative())
            .as("%s: error of %s, fused %s, training %s", format, what, fused, spec.training())
            .isLessThanOrEqualTo(format.tolerance));
  }
}
