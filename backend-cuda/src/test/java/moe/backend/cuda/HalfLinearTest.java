package moe.backend.cuda;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.foreign.MemorySegment;
import moe.backend.cuda.Twins.Side;
import moe.backend.cuda.Twins.Twin;
import moe.spi.device.Activation;
import moe.spi.device.AdamW;
import moe.spi.device.AdamWState;
import moe.spi.device.Compute;
import moe.spi.device.LinearWeights;
import moe.spi.device.Recording;
import moe.spi.device.Shape;
import moe.spi.device.Tensor;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// Dense layers in bf16 beside the CPU's in float32, and the rounded copies of their weights.
class HalfLinearTest {
  // Both operands rounded to 8 bits: measured up to 2.6e-3.
  private static final double HALF = 6e-3;

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
    multipliesLikeTheCpu(rows, in, out, activation, false);
    multipliesLikeTheCpu(rows, in, out, activation, true);
  }

  private static void multipliesLikeTheCpu(
      int rows, int in, int out, Activation activation, boolean portable) {
    try (Twins at = new Twins(32, Compute.BF16, rows, portable)) {
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
      at.assertClose("y", y, HALF);
      at.assertClose("dX", dX, HALF);
      at.assertClose("gradient of weight", dWeight, HALF);
      at.assertClose("gradient of bias", dBias, HALF);
    }
  }

  @Test
  void multipliesByTheWeightsOfTheMoment() {
    try (Twins at = new Twins(32, Compute.BF16)) {
      Twin x = at.random(20, 16);
      Twin weight = at.random(24, 16);
      Twin other = at.random(24, 16);
      Twin first = at.random(24, 16);
      Twin second = at.floats(Shape.of(24, 16), i -> 1);
      Twin schedule = at.floats(Shape.of(3), i -> 0.5f);
      Twin y = at.garbage(20, 24);
      multiply(at, x, weight, y);
      at.both(side -> side.stream.copy(side.of(other), side.of(weight)));
      multiply(at, x, weight, y);
      at.both(side -> {
        var state = new AdamWState(side.of(first), side.of(second));
        var settings = new AdamW(0.9f, 0.95f, 1e-8f, 0.1f);
        side.ops.adamW(
            side.of(weight), side.of(other), state, settings, side.of(schedule), side.stream);
      });
      multiply(at, x, weight, y);
      at.both(side -> side.ops.add(side.of(weight), side.of(other), side.of(weight), side.stream));
      multiply(at, x, weight, y);
      at.both(side -> side.stream.zero(side.of(weight)));
      at.both(side -> linear(side, x, weight, y));
      assertThat(Twins.bits(at.cuda, at.cuda.of(y))).containsOnly(0);
      at.both(side -> upload(side, side.of(weight)));
      multiply(at, x, weight, y);
    }
  }

  @Test
  void playsProductsThatWereRecorded() {
    try (Twins at = new Twins(32, Compute.BF16)) {
      Twin x = at.random(20, 16);
      Twin weight = at.random(24, 16);
      Twin y = at.garbage(20, 24);
      at.both(side -> linear(side, x, weight, y)); // what is needed is loaded
      at.cuda.stream.zero(at.cuda.of(y));
      try (Recording recording =
          at.cuda.stream.record(() -> linear(at.cuda, x, weight, y)).orElseThrow()) {
        assertThat(Twins.bits(at.cuda, at.cuda.of(y))).containsOnly(0);
        recording.play();
      }
      at.assertClose("y", y, HALF);
    }
  }

  private static void multiply(Twins at, Twin x, Twin weight, Twin y) {
    at.both(side -> linear(side, x, weight, y));
    at.assertClose("y", y, HALF);
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
