package moe.backend.opencl;

import moe.backend.opencl.kernel.ClKernel;
import moe.backend.opencl.kernel.Kernels;
import moe.backend.opencl.kernel.Region;
import moe.backend.opencl.kernel.WorkQueue;
import moe.spi.device.NormStatistics;
import moe.spi.device.NormWeights;
import moe.spi.device.Tensor;

/// Layer norm and its gradient.
final class NormOps {
  private static final Operation FORWARD = new Operation("layerNorm");
  private static final Operation BACKWARD = new Operation("layerNormBackward");

  private final WorkQueue queue;
  private final ClKernel forward;
  private final ClKernel backward;
  private final ClKernel weightGradients;

  NormOps(Kernels kernels, WorkQueue queue) {
    this.queue = queue;
    forward = kernels.kernel("norm", "layer_norm");
    backward = kernels.kernel("norm", "layer_norm_backward");
    weightGradients = kernels.kernel("norm", "layer_norm_weights");
  }

  void forward(Tensor x, NormWeights weights, float epsilon, Tensor y, NormStatistics statistics) {
    long rows = x.shape().rows();
    long width = x.shape().lastDim();
    forward
        .begin()
        .region(FORWARD.matrix("x", x, rows, width))
        .region(FORWARD.floats("gain", weights.gain(), width))
        .region(FORWARD.floats("bias", weights.bias(), width))
        .whole((int) width)
        .number(epsilon)
        .region(FORWARD.floats("mean", statistics.mean(), rows))
        .region(FORWARD.floats("inverseDeviation", statistics.inverseDeviation(), rows))
        .region(FORWARD.matrix("y", y, rows, width))
        .rows(queue, rows);
  }

  void backward(
      Tensor dY,
      Tensor x,
      NormWeights weights,
      NormStatistics statistics,
      Tensor dX,
      NormWeights gradients) {
    long rows = x.shape().rows();
    long width = x.shape().lastDim();
    Region dRows = BACKWARD.matrix("dY", dY, rows, width);
    Region input = BACKWARD.matrix("x", x, rows, width);
    Region mean = BACKWARD.floats("mean", statistics.mean(), rows);
    Region inverse = BACKWARD.floats("inverseDeviation", statistics.inverseDeviation(), rows);
    Region dGain = BACKWARD.floats("gradients.gain", gradients.gain(), width);
    Region dBias = BACKWARD.floats("gradients.bias", gradients.bias(), width);
    backward
        .begin()
        .region(dRows)
        .region(input)
        .region(BACKWARD.floats("gain", weights.gain(), width))
        .region(mean)
        .region(inverse)
        .whole((int) width)
        .region(BACKWARD.matrix("dX", dX, rows, width))
        .rows(queue, rows);
    weightGradients
        .begin()
        .region(dRows)
        .region(input)
        .region(mean)
        .region(inverse)
        .whole((int) rows)
        .whole((int) width)
        .region(dGain)
        .region(dBias)
        .columns(queue, (int) width);
  }
}
