package moe.backend.cpu.kernel;

import static moe.backend.cpu.kernel.LinearCase.place;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import moe.spi.device.Activation;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

final class GroupedForwardTest {
  private static final float UNTOUCHED = 77;
  private final CpuThreads threads = new CpuThreads(3);

  @AfterEach
  void closeThreads() {
    threads.close();
  }

  @ParameterizedTest
  @EnumSource
  void equalsTheSumInDouble(Twin twin) {
    Twin.cases().forEach(layer -> check(layer, twin, false, false));
  }

  @ParameterizedTest
  @EnumSource
  void readsRowsThroughAssignments(Twin twin) {
    Twin.cases().forEach(layer -> check(layer, twin, true, false));
  }

  @ParameterizedTest
  @EnumSource
  void widensWeightsStoredAsBf16(Twin twin) {
    Twin.cases().forEach(layer -> check(layer, twin, true, true));
  }

  private void check(LinearCase layer, Twin twin, boolean gathered, boolean halves) {
    float[] y = LinearCase.filled(layer.rows * layer.outStride, UNTOUCHED);
    GroupedForward forward = new GroupedForward(threads, twin.tiles(), twin.elements());
    run(layer, forward, gathered, halves, y);
    for (int r = 0; r < layer.rows; r++) {
      int g = layer.group(r);
      for (int i = 0; i < layer.out; i++) {
        LinearCase.Sum sum = layer.forward(g, r, i, gathered);
        sum.add(layer.bias[g * layer.out + i]);
        sum.check(y[r * layer.outStride + i], "row " + r + " feature " + i);
      }
      assertThat(y[r * layer.outStride + layer.out]).isEqualTo(UNTOUCHED);
    }
  }

  private static void run(
      LinearCase layer, GroupedForward forward, boolean gathered, boolean halves, float[] y) {
    if (halves) {
      forward.weights(place(layer.shortWeights()), layer.groups, layer.out, layer.in);
    } else {
      forward.weights(place(layer.weights), layer.groups, layer.out, layer.in);
    }
    forward
        .bias(place(layer.bias))
        .input(place(layer.x), layer.inStride)
        .output(place(y), layer.outStride);
    if (gathered) {
      forward.gather(place(layer.assignments), LinearCase.TOP_K);
    }
    forward.run(place(layer.offsets));
  }

  @ParameterizedTest
  @EnumSource
  void appliesTheActivationAndKeepsWhatItWasAppliedTo(Twin twin) {
    LinearCase layer = new LinearCase(37, 20, 3, 40);
    for (Activation activation : Activation.values()) {
      float[] y = new float[layer.rows * layer.out];
      float[] pre = new float[layer.rows * layer.outStride];
      new GroupedForward(threads, twin.tiles(), twin.elements())
          .weights(place(layer.weights), layer.groups, layer.out, layer.in)
          .input(place(layer.x), layer.inStride)
          .activation(activation)
          .preActivation(place(pre), layer.outStride)
          .output(place(y), layer.out)
          .run(place(layer.offsets));
      float[] expected = new float[layer.out];
      for (int r = 0; r < layer.rows; r++) {
        int from = r * layer.outStride;
        twin.elements().activate(activation, pre, from, expected, 0, layer.out);
        for (int i = 0; i < layer.out; i++) {
          // Vectors or not by where a feature lies: 16 roundings of numbers of the size of x.
          assertThat(y[r * layer.out + i])
              .as(activation + " row " + r + " feature " + i)
              .isCloseTo(expected[i], within(16 * 0x1p-24f * Math.abs(pre[from + i])));
        }
        layer.forward(layer.group(r), r, 5, false).check(pre[from + 5], "row " + r);
      }
    }
  }

  @Test
  void addsToTheOutputWhenAccumulating() {
    LinearCase layer = new LinearCase(20, 30, 4, 20);
    float[] y = LinearCase.filled(layer.rows * layer.out, 2);
    new GroupedForward(threads, InnerLoops.vector())
        .weights(place(layer.weights), layer.groups, layer.out, layer.in)
        .input(place(layer.x), layer.inStride)
        .output(place(y), layer.out)
        .accumulate()
        .run(place(layer.offsets));
    for (int r = 0; r < layer.rows; r++) {
      LinearCase.Sum sum = layer.forward(layer.group(r), r, 7, false);
      sum.add(2);
      sum.check(y[r * layer.out + 7], "row " + r);
    }
  }

  @ParameterizedTest
  @EnumSource
  void givesTheSameBitsThroughPanels(Twin twin) {
    Twin.cases().forEach(layer -> checkPanels(layer, twin));
  }

  // Down again with the same weights in another shape.
  private void checkPanels(LinearCase layer, Twin twin) {
    GroupedForward up = new GroupedForward(threads, twin.tiles(), twin.elements());
    GroupedForward down = new GroupedForward(threads, twin.tiles(), twin.elements());
    Ints offsets = place(layer.offsets);
    Floats weights = place(layer.weights);
    float[] hidden = new float[layer.rows * layer.out];
    float[] expected = new float[layer.rows * layer.in];
    up.weights(weights, layer.groups, layer.out, layer.in).bias(place(layer.bias));
    up.input(place(layer.x), layer.inStride).output(place(hidden), layer.out).run(offsets);
    down.weights(weights, layer.groups, layer.in, layer.out).input(place(hidden), layer.out);
    down.output(place(expected), layer.in).run(offsets);

    int lanes = twin.tiles().lanes();
    int most = (layer.rows + layer.groups * (lanes - 1)) * layer.out;
    float[] panels = LinearCase.filled(most, Float.NaN);
    float[] y = new float[expected.length];
    up.weights(weights, layer.groups, layer.out, layer.in).bias(place(layer.bias));
    up.input(place(layer.x), layer.inStride).outputPanels(place(panels)).run(offsets);
    down.weights(weights, layer.groups, layer.in, layer.out).inputPanels(place(panels));
    down.output(place(y), layer.in).run(offsets);
    assertThat(y).isEqualTo(expected);
  }

  @ParameterizedTest
  @EnumSource
  void letsNaNAndInfinityReachTheirOwnRowsOnly(Twin twin) {
    LinearCase layer = new LinearCase(21, 33, 2, 19);
    layer.x[4] = Float.NaN;
    layer.x[5 * layer.inStride + 6] = Float.POSITIVE_INFINITY;
    float[] y = new float[layer.rows * layer.outStride];
    run(layer, new GroupedForward(threads, twin.tiles(), twin.elements()), false, false, y);
    for (int r = 0; r < layer.rows; r++) {
      for (int i = 0; i < layer.out; i++) {
        float value = y[r * layer.outStride + i];
        assertThat(Float.isNaN(value)).as("row " + r).isEqualTo(r == 0);
        assertThat(Float.isInfinite(value)).as("row " + r).isEqualTo(r == 5);
      }
    }
  }

  @Test
  void givesTheSameBitsOnAnyNumberOfThreads() {
    Twin.cases().forEach(this::checkBits);
  }

  private void checkBits(LinearCase layer) {
    float[] expected = new float[layer.rows * layer.outStride];
    run(layer, new GroupedForward(threads, InnerLoops.vector()), true, false, expected);
    for (int size = 1; size <= 3; size++) {
      try (CpuThreads others = new CpuThreads(size)) {
        float[] y = new float[expected.length];
        run(layer, new GroupedForward(others, InnerLoops.vector()), true, false, y);
        assertThat(y).isEqualTo(expected);
      }
    }
  }
}
