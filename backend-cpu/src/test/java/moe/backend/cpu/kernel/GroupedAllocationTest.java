package moe.backend.cpu.kernel;

import static moe.backend.cpu.kernel.LinearCase.place;
import static org.assertj.core.api.Assertions.assertThat;

import moe.spi.device.Activation;
import org.junit.jupiter.api.Test;

final class GroupedAllocationTest {
  private static final LinearCase LAYER = new LinearCase(40, 50, 1, 0, 33, 9);
  private static final Floats WEIGHTS = place(LAYER.weights);
  private static final Floats BIAS = place(LAYER.bias);
  private static final Floats X = place(LAYER.x);
  private static final Ints ASSIGNMENTS = place(LAYER.assignments);
  private static final Ints OFFSETS = place(LAYER.offsets);
  private static final Floats D_Y = place(LAYER.dY);
  private static final Floats GATES = place(LAYER.gates);

  @Test
  void allocatesNothingOnceScratchHasGrown() {
    try (CpuThreads threads = new CpuThreads(3)) {
      GroupedForward forward = new GroupedForward(threads, InnerLoops.vector());
      GroupedBackwardInput input = new GroupedBackwardInput(threads, InnerLoops.vector());
      GroupedBackwardWeight weight = new GroupedBackwardWeight(threads, InnerLoops.vector());
      Floats y = place(new float[LAYER.rows * LAYER.out]);
      Floats dX = place(new float[LAYER.rows * LAYER.in]);
      Floats dW = place(new float[LAYER.weights.length]);
      Floats dB = place(new float[LAYER.bias.length]);
      Runnable step =
          () -> {
            forward(forward, y);
            backward(input, dX);
            backward(weight, dW, dB);
          };
      assertThat(new AllocatedBytes().duringSteadyState(2_000, step)).isZero();
    }
  }

  private static void forward(GroupedForward forward, Floats y) {
    forward
        .weights(WEIGHTS, LAYER.groups, LAYER.out, LAYER.in)
        .bias(BIAS)
        .input(X, LAYER.inStride)
        .gather(ASSIGNMENTS, LinearCase.TOP_K)
        .activation(Activation.GELU)
        .output(y, LAYER.out)
        .run(OFFSETS);
  }

  private static void backward(GroupedBackwardInput input, Floats dX) {
    input
        .weights(WEIGHTS, LAYER.groups, LAYER.out, LAYER.in)
        .gradient(D_Y, LAYER.outStride)
        .gather(ASSIGNMENTS, LinearCase.TOP_K)
        .gates(GATES)
        .through(Activation.GELU, X, LAYER.inStride)
        .output(dX, LAYER.in)
        .run(OFFSETS);
  }

  private static void backward(GroupedBackwardWeight weight, Floats dW, Floats dB) {
    weight
        .gradients(dW, LAYER.groups, LAYER.out, LAYER.in)
        .bias(dB)
        .gradient(D_Y, LAYER.outStride)
        .input(X, LAYER.inStride)
        .gatherInput(ASSIGNMENTS, LinearCase.TOP_K)
        .run(OFFSETS);
  }
}
