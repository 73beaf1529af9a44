package moe.backend.opencl;

import moe.backend.opencl.kernel.ClKernel;
import moe.backend.opencl.kernel.GroupedBackwardInput;
import moe.backend.opencl.kernel.GroupedBackwardWeight;
import moe.backend.opencl.kernel.GroupedForward;
import moe.backend.opencl.kernel.Groups;
import moe.backend.opencl.kernel.Kernels;
import moe.backend.opencl.kernel.Region;
import moe.backend.opencl.kernel.SlotRows;
import moe.backend.opencl.kernel.WorkQueue;
import moe.spi.device.Activation;
import moe.spi.device.LinearWeights;
import moe.spi.device.Tensor;
import org.jspecify.annotations.Nullable;

/// A linear layer and its gradient, a grouped product of one group; and the sum of squares.
final class LinearOps {
  private static final Operation FORWARD = new Operation("linear");
  private static final Operation BACKWARD = new Operation("linearBackward");
  private static final Operation SQUARES = new Operation("sumOfSquares");

  /// Sums that are added up at the end.
  static final int PARTS = 256;

  private final WorkQueue queue;
  private final GroupedForward forward;
  private final GroupedBackwardInput backwardInput;
  private final GroupedBackwardWeight backwardWeight;
  private final Groups group = new Groups();
  private final SlotRows packed;
  private final SlotRows inputs;
  private final ClKernel squares;
  private final ClKernel sum;
  private final Region parts;

  /// @param panels where rows are packed, `SlotRows.denseFloats`
  /// @param parts of `PARTS` floats
  LinearOps(Kernels kernels, WorkQueue queue, Region panels, Region parts) {
    this.queue = queue;
    this.parts = parts;
    forward = GroupedForward.of(kernels);
    backwardInput = GroupedBackwardInput.of(kernels);
    backwardWeight = GroupedBackwardWeight.of(kernels);
    packed = SlotRows.dense(kernels, panels);
    inputs = SlotRows.unpacked(kernels);
    squares = kernels.kernel("sums", "squares");
    sum = kernels.kernel("sums", "sum_parts");
  }

  void forward(Tensor x, LinearWeights weights, Activation activation, Tensor y) {
    int rows = (int) x.shape().rows();
    int in = (int) x.shape().lastDim();
    int out = (int) y.shape().lastDim();
    Region from = FORWARD.matrix("x", x, rows, in);
    Region to = FORWARD.matrix("y", y, rows, out);
    Region weight = FORWARD.matrix("weight", weights.weight(), out, in);
    forward
        .weights(weight, FORWARD.optional("bias", weights.bias(), out), out, in)
        .activation(activation, null);
    int step = packed.atOnce(rows, in);
    for (int row = 0; row < rows; row += step) {
      group.one(Math.min(step, rows - row));
      packed.plain(from.plus((long) row * in), in).pack(group, queue);
      forward.rows(packed, group, to.plus((long) row * out), queue);
    }
  }

  void backward(
      Tensor dY, Tensor x, LinearWeights weights, @Nullable Tensor dX, LinearWeights gradients) {
    int rows = (int) x.shape().rows();
    int in = (int) x.shape().lastDim();
    int out = (int) dY.shape().lastDim();
    Region dRows = BACKWARD.matrix("dY", dY, rows, out);
    Region from = BACKWARD.matrix("x", x, rows, in);
    Region dWeight = BACKWARD.matrix("gradients.weight", gradients.weight(), out, in);
    Region dBias = BACKWARD.optional("gradients.bias", gradients.bias(), out);
    Region to = dX == null ? null : BACKWARD.matrix("dX", dX, rows, in);
    backwardInput.weights(BACKWARD.matrix("weight", weights.weight(), out, in), out, in);
    backwardWeight.gradients(dWeight, dBias, out, in);
    int step = packed.atOnce(rows, out);
    for (int row = 0; row < rows; row += step) {
      group.one(Math.min(step, rows - row));
      packed.plain(dRows.plus((long) row * out), out).pack(group, queue);
      if (to != null) {
        backwardInput.rows(packed, group, to.plus((long) row * in), false, queue);
      }
      inputs.plain(from.plus((long) row * in), in);
      backwardWeight.run(packed, inputs, group, queue);
    }
  }

  void sumOfSquares(Tensor x, Tensor out) {
    long n = x.shape().elements();
    Region from = SQUARES.floats("x", x, n);
    Region to = SQUARES.floats("out", out, 1);
    squares.begin().region(from).size(n).whole(PARTS).region(parts).rows(queue, PARTS);
    sum.begin().region(parts).whole(PARTS).region(to).items(queue, 1);
  }
}
