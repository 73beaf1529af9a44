package moe.backend.cpu.kernel;

import static moe.backend.cpu.kernel.LinearCase.place;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import moe.spi.device.Activation;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

final class GroupedBackwardTest {
  private static final float UNTOUCHED = 77;
  private final CpuThreads threads = new CpuThreads(3);

  @AfterEach
  void closeThreads() {
    threads.close();
  }

  @ParameterizedTest
  @EnumSource
  void gradientOfTheInputEqualsTheSumInDouble(Twin twin) {
    Twin.cases()
        .forEach(layer -> {
          checkInput(layer, twin, false);
          checkInput(layer, twin, true);
        });
  }

  private void checkInput(LinearCase layer, Twin twin, boolean gathered) {
    float[] dX = LinearCase.filled(layer.rows * layer.inStride, UNTOUCHED);
    runInput(layer, new GroupedBackwardInput(threads, twin.tiles(), twin.elements()), gathered, dX);
    for (int r = 0; r < layer.rows; r++) {
      for (int p = 0; p < layer.in; p++) {
        layer
            .backwardInput(layer.group(r), r, p, gathered)
            .check(dX[r * layer.inStride + p], "row " + r + " feature " + p);
      }
      assertThat(dX[r * layer.inStride + layer.in]).isEqualTo(UNTOUCHED);
    }
  }

  private static void runInput(
      LinearCase layer, GroupedBackwardInput backward, boolean gathered, float[] dX) {
    backward
        .weights(place(layer.weights), layer.groups, layer.out, layer.in)
        .gradient(place(layer.dY), layer.outStride)
        .output(place(dX), layer.inStride);
    if (gathered) {
      backward.gather(place(layer.assignments), LinearCase.TOP_K).gates(place(layer.gates));
    }
    backward.run(place(layer.offsets));
  }

  @ParameterizedTest
  @EnumSource
  void gradientOfTheInputGoesThroughTheActivation(Twin twin) {
    LinearCase layer = new LinearCase(37, 20, 3, 40);
    float[] plain = new float[layer.rows * layer.inStride];
    GroupedBackwardInput backward =
        new GroupedBackwardInput(threads, twin.tiles(), twin.elements());
    runInput(layer, backward, false, plain);
    for (Activation activation : Activation.values()) {
      float[] dX = new float[layer.rows * layer.inStride];
      backward
          .weights(place(layer.weights), layer.groups, layer.out, layer.in)
          .gradient(place(layer.dY), layer.outStride)
          .through(activation, place(layer.x), layer.inStride)
          .output(place(dX), layer.inStride)
          .run(place(layer.offsets));
      float[] expected = new float[layer.in];
      for (int r = 0; r < layer.rows; r++) {
        int at = r * layer.inStride;
        twin.elements().activateBackward(activation, layer.x, at, plain, at, expected, 0, layer.in);
        for (int p = 0; p < layer.in; p++) {
          assertThat(dX[at + p]).isEqualTo(expected[p]);
        }
      }
    }
  }

  @Test
  void gradientOfTheInputIsAddedWhenAccumulating() {
    LinearCase layer = new LinearCase(20, 30, 4, 20);
    float[] dX = LinearCase.filled(layer.rows * layer.in, 2);
    GroupedBackwardInput backward =
        new GroupedBackwardInput(threads, InnerLoops.vector())
            .weights(place(layer.weights), layer.groups, layer.out, layer.in)
            .gradient(place(layer.dY), layer.outStride)
            .output(place(dX), layer.in)
            .accumulate();
    backward.run(place(layer.offsets));
    for (int r = 0; r < layer.rows; r++) {
      LinearCase.Sum sum = layer.backwardInput(layer.group(r), r, 7, false);
      sum.add(2);
      sum.check(dX[r * layer.in + 7], "row " + r);
    }
    backward.through(Activation.RELU, place(layer.x), layer.inStride);
    assertThatThrownBy(() -> backward.run(place(layer.offsets)))
        .isInstanceOf(IllegalStateException.class);
  }

  @ParameterizedTest
  @EnumSource
  void gradientsOfWeightsAndBiasAreAdded(Twin twin) {
    Twin.cases()
        .forEach(layer -> {
          checkWeight(layer, twin, false);
          checkWeight(layer, twin, true);
        });
  }

  private void checkWeight(LinearCase layer, Twin twin, boolean gathered) {
    float[] dW = LinearCase.filled(layer.weights.length, 2);
    float[] dB = LinearCase.filled(layer.bias.length, 3);
    runWeight(
        layer, new GroupedBackwardWeight(threads, twin.tiles(), twin.elements()), gathered, dW, dB);
    for (int g = 0; g < layer.groups; g++) {
      for (int i = 0; i < layer.out; i++) {
        LinearCase.Sum bias = layer.backwardBias(g, i, gathered);
        bias.add(3);
        bias.check(dB[g * layer.out + i], "bias " + i);
        for (int p = 0; p < layer.in; p++) {
          LinearCase.Sum sum = layer.backwardWeight(g, i, p, gathered);
          sum.add(2);
          sum.check(dW[(g * layer.out + i) * layer.in + p], "weight " + i + ", " + p);
        }
      }
    }
  }

  private static void runWeight(
      LinearCase layer, GroupedBackwardWeight backward, boolean gathered, float[] dW, float[] dB) {
    backward
        .gradients(place(dW), layer.groups, layer.out, layer.in)
        .bias(place(dB))
        .gradient(place(layer.dY), layer.outStride)
        .input(place(layer.x), layer.inStride);
    if (gathered) {
      backward
          .gatherGradient(place(layer.assignments), LinearCase.TOP_K)
          .gates(place(layer.gates))
          .gatherInput(place(layer.assignments), LinearCase.TOP_K);
    }
    backward.run(place(layer.offsets));
  }

  @Test
  void givesTheSameBitsOnAnyNumberOfThreads() {
    Twin.cases()
        .forEach(layer -> {
          float[] dX = new float[layer.rows * layer.inStride];
          float[] dW = new float[layer.weights.length];
          float[] dB = new float[layer.bias.length];
          runInput(layer, new GroupedBackwardInput(threads, InnerLoops.vector()), true, dX);
          runWeight(layer, new GroupedBackwardWeight(threads, InnerLoops.vector()), true, dW, dB);
          for (int size = 1; size <= 3; size++) {
            try (CpuThreads others = new CpuThreads(size)) {
              float[] dX2 = new float[dX.length];
              float[] dW2 = new float[dW.length];
              float[] dB2 = new float[dB.length];
              runInput(layer, new GroupedBackwardInput(others, InnerLoops.vector()), true, dX2);
              runWeight(
                  layer, new GroupedBackwardWeight(others, InnerLoops.vector()), true, dW2, dB2);
              assertThat(dX2).isEqualTo(dX);
              assertThat(dW2).isEqualTo(dW);
              assertThat(dB2).isEqualTo(dB);
            }
          }
        });
  }
}
