package moe.backend.cuda.stage;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import moe.backend.cuda.Format;
import moe.backend.cuda.Gap;
import moe.backend.cuda.stage.BlockCase.Load;
import moe.spi.device.Backend;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/// Whole blocks in every format beside double precision, by `‖out − ref‖ / ‖ref‖` of each result
/// and gradient, on a GPU or its emulation.
///
/// The reference begins from the same float32 numbers, not from rounded ones, and takes the experts
/// that the device chose: routers multiply as in float32 in every format. Gradients begin at zero,
/// so nothing hides their errors. The activations are smooth: where ReLU has its corner, rounding
/// decides the slope, so that is judged from rounded numbers, in `HalfBlockTest`.
class PrecisionTest {
  // Router logits keep 16 bits (`SplitRouter`), these are up to 9 in size.
  private static final double EQUAL_LOGITS = 3e-4;

  /// Rows of 130 cannot be copied 16 bytes at a time: formats of 16 bits multiply them in TF32, as
  /// they do on the staged path where gated experts train.
  static Stream<BlockCase> cases() {
    return Stream.of(
        new BlockCase(0, 40, 136, 2, Load.RANDOM, false, true, 1),
        new BlockCase(1, 72, 136, 2, Load.RANDOM, false, true, 8),
        new BlockCase(1, 40, 130, 1, Load.RANDOM, true, false, 2),
        new BlockCase(31, 72, 136, 1, Load.ONE, true, true, 1),
        new BlockCase(31, 40, 130, 2, Load.IDLE, true, true, 2),
        new BlockCase(33, 72, 136, 2, Load.IDLE, true, true, 2),
        new BlockCase(33, 40, 136, 2, Load.ONE, false, false, 2),
        new BlockCase(33, 130, 40, 2, Load.ONE, false, true, 2),
        new BlockCase(1000, 40, 24, 2, Load.RANDOM, false, true, 1),
        new BlockCase(1000, 24, 40, 1, Load.IDLE, false, false, 1));
  }

  static Stream<Arguments> casesInAllFormats() {
    return cases()
        .flatMap(block -> Stream.of(Format.values()).map(format -> Arguments.of(block, format)));
  }

  @ParameterizedTest
  @MethodSource("casesInAllFormats")
  void isAsNearToDoublePrecisionAsItsFormatAllows(BlockCase block, Format format) {
    try (Backend backend = format.open()) {
      for (boolean training : new boolean[] {true, false}) {
        Map<String, Gap> gaps = new LinkedHashMap<>();
        for (int seed = 0; seed < (training ? block.draws() : 1); seed++) {
          judge(backend, block, training, seed, gaps);
        }
        gaps.forEach((what, gap) ->
            assertThat(gap.relative())
                .as("error of %s%s", what, training ? ", training" : "")
                .isLessThanOrEqualTo(format.tolerance));
      }
    }
  }

  @ParameterizedTest
  @EnumSource
  void hasTheSameBitsTwice(Format format) {
    for (boolean fused : new boolean[] {true, false}) {
      var block = new BlockCase(100, 40, 136, 2, Load.RANDOM, false, fused, 1);
      try (Backend backend = format.open()) {
        var device = new DeviceBlock(backend, block.spec(true), block.tokens(), block.draw(0));
        DeviceBlock.Result first = device.run(fused);
        DeviceBlock.Result second = device.run(fused);
        assertThat(second.ids()).isEqualTo(first.ids());
        first
            .values()
            .forEach((what, values) ->
                assertThat(bits(second.of(what))).as(what).isEqualTo(bits(values)));
      }
    }
  }

  private static int[] bits(float[] values) {
    return IntStream.range(0, values.length).map(i -> Float.floatToRawIntBits(values[i])).toArray();
  }

  private static void judge(
      Backend backend, BlockCase block, boolean training, int seed, Map<String, Gap> gaps) {
    Map<String, float[]> numbers = block.draw(seed);
    var spec = block.spec(training);
    DeviceBlock.Result ours =
        new DeviceBlock(backend, spec, block.tokens(), numbers).run(block.fused() == training);
    ExactBlock exact = ExactBlock.of(spec, numbers, ours.ids());
    assertThat(exact.misjudged()).isLessThan(EQUAL_LOGITS);
    assertThat(exact.follows(block.load())).as("load %s", block.load()).isTrue();
    exact
        .results()
        .forEach((what, expected) -> gaps.merge(what, gap(ours.of(what), expected), Gap::plus));
  }

  private static Gap gap(float[] ours, ExactBlock.Exact exact) {
    return new Gap(Gap.of(ours, exact.values()).difference(), exact.size());
  }
}
