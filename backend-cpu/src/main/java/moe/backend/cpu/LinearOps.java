package moe.backend.cpu;

import moe.backend.cpu.kernel.CpuThreads;
import moe.backend.cpu.kernel.Floats;
import moe.backend.cpu.kernel.GroupedBackwardInput;
import moe.backend.cpu.kernel.GroupedBackwardWeight;
import moe.backend.cpu.kernel.GroupedForward;
import moe.backend.cpu.kernel.InnerLoops;
import moe.spi.device.Activation;
import moe.spi.device.LinearWeights;
import moe.spi.device.Tensor;
import org.jspecify.annotations.Nullable;

/// A linear layer and its gradient: a grouped product of one group.
final class LinearOps {
  private static final Operation FORWARD = new Operation("linear");
  private static final Operation BACKWARD = new Operation("linearBackward");

  private final GroupedForward forward;
  private final GroupedBackwardInput backwardInput;
  private final GroupedBackwardWeight backwardWeight;

  LinearOps(CpuThreads threads, InnerLoops loops) {
    forward = new GroupedForward(threads, loops);
    backwardInput = new GroupedBackwardInput(threads, loops);
    backwardWeight = new GroupedBackwardWeight(threads, loops);
  }

  void forward(Tensor x, LinearWeights weights, Activation activation, Tensor y) {
    int rows = (int) x.shape().rows();
    int in = (int) x.shape().lastDim();
    int out = (int) y.shape().lastDim();
    Floats from = FORWARD.matrix("x", x, rows, in);
    Floats to = FORWARD.matrix("y", y, rows, out);
    forward
        .weights(FORWARD.weight("weight", weights.weight(), out, in), 1, out, in)
        .bias(bias(FORWARD, "bias", weights, out))
        .activation(activation)
        .input(from, in)
        .output(to, out)
        .run(rows);
  }

  void backward(
      Tensor dY, Tensor x, LinearWeights weights, @Nullable Tensor dX, LinearWeights gradients) {
    int rows = (int) x.shape().rows();
    int in = (int) x.shape().lastDim();
    int out = (int) dY.shape().lastDim();
    Floats dRows = BACKWARD.matrix("dY", dY, rows, out);
    Floats inputs = BACKWARD.matrix("x", x, rows, in);
    Floats weight = BACKWARD.matrix("weight", weights.weight(), out, in);
    Floats dWeight = BACKWARD.matrix("gradients.weight", gradients.weight(), out, in);
    Floats dBias = bias(BACKWARD, "gradients.bias", gradients, out);
    if (dX != null) {
      Floats dInputs = BACKWARD.matrix("dX", dX, rows, in);
      backwardInput.weights(weight, 1, out, in).gradient(dRows, out).output(dInputs, in).run(rows);
    }
    backwardWeight
        .gradients(dWeight, 1, out, in)
        .bias(dBias)
        .gradient(dRows, out)
        .input(inputs, in)
        .run(rows);
  }

  private static @Nullable Floats bias(
      Operation operation, String name, LinearWeights weights, int out) {
    return weights.bias() == null ? null : operation.floats(name, weights.bias(), out);
  }
}
