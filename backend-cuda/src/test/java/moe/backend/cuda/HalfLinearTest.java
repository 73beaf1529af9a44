package moe.backend.cuda;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.foreign.MemorySegment;
import java.util.function.Consumer;
import moe.backend.cuda.Twins.Side;
import moe.backend.cuda.Twins.Twin;
import moe.spi.device.Activation;
import moe.spi.device.AdamW;
import moe.spi.device.AdamWState;
import moe.spi.device.LinearWeights;
import moe.spi.device.Recording;
import moe.spi.device.Shape;
import moe.spi.device.Tensor;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/// Dense layers in 16 bits beside the CPU's in float32, and the rounded copies of their weights.
class HalfLinearTest {
  @ParameterizedTest
  @CsvSource({
    "0, 64, 40, NONE",
    "1, 64, 37, NONE",
    "8, 64, 40, SILU",
    "9, 72, 37, NONE",
    "33, 136, 50, GELU",
    "300, 72, 264, NONE",
    "31, 130, 33, NONE"
  })
  void multipliesLikeTheCpu(int rows, int in, int out, Activation activation) {
    for (Format format : Format.values()) {
      multipliesLikeTheCpu(rows, in, out, activation, format);
    }
  }

  private static void multipliesLikeTheCpu(
      int rows, int in, int out, Activation activation, Format format) {
    try (Twins at = new Twins(32, format, rows)) {
      Twin x = at.random(rows, in);
      Twin weight = at.random(Math.sqrt(1.0 / in), out, in);
      Twin bias = at.random(out);
      Twin y = at.garbage(rows, out);
      Twin dY = at.random(rows, out);
      Twin dX = at.garbage(rows, in);
      Twin dWeight = at.random(out, in);
      Twin dBias = at.random(out);
      at.both(side -> {
        var weights = new LinearWeights(side.of(weight), side.of(bias));
        side.ops.linear(side.of(x), weights, activation, side.of(y), side.stream);
        side.ops.linearBackward(
            side.of(dY),
            side.of(x),
            weights,
            side.of(dX),
            new LinearWeights(side.of(dWeight), side.of(dBias)),
            side.stream);
      });
      at.assertClose(format + ": y", y, format.tolerance);
      at.assertClose(format + ": dX", dX, format.tolerance);
      at.assertClose(format + ": gradient of weight", dWeight, format.tolerance);
      at.assertClose(format + ": gradient of bias", dBias, format.tolerance);
    }
  }

  @Test
  void hasTheSameBitsTwice() {
    for (Format format : Format.values()) {
      try (Twins at = new Twins(32, format, 1)) {
        Twin x = at.random(70, 72);
        Twin weight = at.random(40, 72);
        Twin y = at.garbage(70, 40);
        Twin again = at.garbage(70, 40);
        linear(at.cuda, x, weight, y);
        linear(at.cuda, x, weight, again);
        assertThat(Twins.bits(at.cuda, at.cuda.of(again)))
            .isEqualTo(Twins.bits(at.cuda, at.cuda.of(y)));
      }
    }
  }

  @ParameterizedTest
  @EnumSource(names = {"F16", "F16_PORTABLE"})
  void showsNumbersBeyondBinary16AsInfinity(Format format) {
    try (Twins at = new Twins(32, format, 1)) {
      Twin x = at.floats(Shape.of(16, 16), i -> i == 0 ? 65504 : i == 16 ? 65520 : 1);
      Twin weight = at.floats(Shape.of(8, 16), i -> 1);
      Twin y = at.garbage(16, 8);
      linear(at.cuda, x, weight, y);
      int[] bits = Twins.bits(at.cuda, at.cuda.of(y));
      assertThat(Float.intBitsToFloat(bits[0])).isEqualTo(65519);
      assertThat(Float.intBitsToFloat(bits[8])).isInfinite();
      assertThat(Float.intBitsToFloat(bits[16])).isEqualTo(16);
    }
  }

  @ParameterizedTest
  @EnumSource
  void multipliesByTheWeightsOfTheMoment(Format format) {
    try (Twins at = new Twins(32, format, 7)) {
      Twin x = at.random(20, 16);
      Twin weight = at.random(24, 16);
      Twin other = at.random(24, 16);
      Twin first = at.random(24, 16);
      Twin second = at.floats(Shape.of(24, 16), i -> 1);
      Twin schedule = at.floats(Shape.of(3), i -> 0.5f);
      Twin y = at.garbage(20, 24);
      multiply(at, format, x, weight, y);
      at.both(side -> side.stream.copy(side.of(other), side.of(weight)));
      multiply(at, format, x, weight, y);
      at.both(side -> {
        var state = new AdamWState(side.of(first), side.of(second));
        var settings = new AdamW(0.9f, 0.95f, 1e-8f, 0.1f);
        side.ops.adamW(
            side.of(weight), side.of(other), state, settings, side.of(schedule), side.stream);
      });
      multiply(at, format, x, weight, y);
      at.both(side -> side.ops.add(side.of(weight), side.of(other), side.of(weight), side.stream));
      multiply(at, format, x, weight, y);
      at.both(side -> side.stream.zero(side.of(weight)));
      at.both(side -> linear(side, x, weight, y));
      assertThat(Twins.bits(at.cuda, at.cuda.of(y))).containsOnly(0);
      at.both(side -> upload(side, side.of(weight)));
      multiply(at, format, x, weight, y);
    }
  }

  @ParameterizedTest
  @EnumSource
  void playsProductsThatWereRecorded(Format format) {
    try (Twins at = new Twins(32, format, 7)) {
      Twin x = at.random(20, 16);
      Twin weight = at.random(24, 16);
      Twin gradient = at.random(24, 16);
      Twin first = at.random(24, 16);
      Twin second = at.floats(Shape.of(24, 16), i -> 1);
      Twin schedule = at.floats(Shape.of(3), i -> 0.5f);
      Twin y = at.garbage(20, 24);
      Consumer<Side> step =
          side -> {
            linear(side, x, weight, y);
            var state = new AdamWState(side.of(first), side.of(second));
            var settings = new AdamW(0.9f, 0.95f, 1e-8f, 0.1f);
            side.ops.adamW(
                side.of(weight),
                side.of(gradient),
                state,
                settings,
                side.of(schedule),
                side.stream);
          };
      at.both(step); // what is needed is loaded
      at.cuda.stream.zero(at.cuda.of(y));
      try (Recording recording = at.cuda.stream.record(() -> step.accept(at.cuda)).orElseThrow()) {
        assertThat(Twins.bits(at.cuda, at.cuda.of(y))).containsOnly(0);
        for (int i = 0; i < 3; i++) {
          step.accept(at.cpu);
          recording.play();
          at.assertClose(format + ": y", y, format.tolerance);
        }
      }
    }
  }

  private static void multiply(Twins at, Format format, Twin x, Twin weight, Twin y) {
    at.both(side -> linear(side, x, weight, y));
    at.assertClose("y", y, format.tolerance);
  }

  private static void linear(Side side, Twin x, Twin weight, Twin y) {
    var weights = new LinearWeights(side.of(weight), null);
    side.ops.linear(side.of(x), weights, Activation.NONE, side.of(y), side.stream);
  }

  private static void upload(Side side, Tensor weight) {
    float[] values = new float[(int) weight.shape().elements()];
    for (int i = 0; i < values.length; i++) {
      values[i] = i % 7 - 3;
    }
    side.stream.upload(MemorySegment.ofArray(values), weight);
  }
}
