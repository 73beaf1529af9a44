package moe.backend.cpu.kernel;

import static org.assertj.core.api.Assertions.assertThat;

import moe.spi.device.Activation;
import org.junit.jupiter.api.Test;

final class GroupedAllocationTest {
  private static final LinearCase LAYER = new LinearCase(40, 50, 1, 0, 33, 9);

  @Test
  void allocatesNothingOnceScratchHasGrown() {
    try (CpuThreads threads = new CpuThreads(3)) {
      GroupedForward forward = new GroupedForward(threads);
      GroupedBackwardInput input = new GroupedBackwardInput(threads);
      GroupedBackwardWeight weight = new GroupedBackwardWeight(threads);
      float[] y = new float[LAYER.rows * LAYER.out];
      float[] dX = new float[LAYER.rows * LAYER.in];
      float[] dW = new float[LAYER.weights.length];
      float[] dB = new float[LAYER.bias.length];
      Runnable step =
          () -> {
            forward(forward, y);
            backward(input, dX);
            backward(weight, dW, dB);
          };
      assertThat(new AllocatedBytes().duringSteadyState(2_000, step)).isZero();
    }
  }

  private static void forward(GroupedForward forward, float[] y) {
    forward
        .weights(LAYER.weights, LAYER.groups, LAYER.out, LAYER.in)
        .bias(LAYER.bias)
        .input(LAYER.x, LAYER.inStride)
        .gather(LAYER.assignments, LinearCase.TOP_K)
        .activation(Activation.GELU)
        .output(y, LAYER.out)
        .run(LAYER.offsets);
  }

  private static void backward(GroupedBackwardInput input, float[] dX) {
    input
        .weights(LAYER.weights, LAYER.groups, LAYER.out, LAYER.in)
        .gradient(LAYER.dY, LAYER.outStride)
        .gather(LAYER.assignments, LinearCase.TOP_K)
        .gates(LAYER.gates)
        .through(Activation.GELU, LAYER.x, LAYER.inStride)
        .output(dX, LAYER.in)
        .run(LAYER.offsets);
  }

  private static void backward(GroupedBackwardWeight weight, float[] dW, float[] dB) {
    weight
        .gradients(dW, LAYER.groups, LAYER.out, LAYER.in)
        .bias(dB)
        .gradient(LAYER.dY, LAYER.outStride)
        .input(LAYER.x, LAYER.inStride)
        .gatherInput(LAYER.assignments, LinearCase.TOP_K)
        .run(LAYER.offsets);
  }
}
