package moe.backend.cpu;

import moe.backend.cpu.kernel.CpuThreads;
import moe.backend.cpu.kernel.Floats;
import moe.backend.cpu.kernel.InnerLoops;
import moe.backend.cpu.kernel.LayerNorm;
import moe.backend.cpu.kernel.LayerNormBackward;
import moe.spi.device.NormStatistics;
import moe.spi.device.NormWeights;
import moe.spi.device.Tensor;

/// Layer norm and its gradient.
final class NormOps {
  private static final Operation FORWARD = new Operation("layerNorm");
  private static final Operation BACKWARD = new Operation("layerNormBackward");

  private final LayerNorm forward;
  private final LayerNormBackward backward;

  NormOps(CpuThreads threads, InnerLoops loops) {
    forward = new LayerNorm(threads, loops);
    backward = new LayerNormBackward(threads, loops);
  }

  void forward(Tensor x, NormWeights weights, float epsilon, Tensor y, NormStatistics statistics) {
    long rows = x.shape().rows();
    long width = x.shape().lastDim();
    forward
        .weights(
            FORWARD.floats("gain", weights.gain(), width),
            FORWARD.floats("bias", weights.bias(), width),
            epsilon)
        .statistics(
            FORWARD.floats("mean", statistics.mean(), rows),
            FORWARD.floats("inverseDeviation", statistics.inverseDeviation(), rows))
        .run(
            FORWARD.matrix("x", x, rows, width),
            FORWARD.matrix("y", y, rows, width),
            (int) rows,
            (int) width);
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
    Floats dRows = BACKWARD.matrix("dY", dY, rows, width);
    Floats dInput = BACKWARD.matrix("dX", dX, rows, width);
    Floats dGain = BACKWARD.floats("gradients.gain", gradients.gain(), width);
    Floats dBias = BACKWARD.floats("gradients.bias", gradients.bias(), width);
    backward.forward(
        BACKWARD.matrix("x", x, rows, width),
        BACKWARD.floats("gain", weights.gain(), width),
        BACKWARD.floats("mean", statistics.mean(), rows),
        BACKWARD.floats("inverseDeviation", statistics.inverseDeviation(), rows));
    backward.input(dRows, dInput, (int) rows, (int) width);
    backward.weights(dRows, dGain, dBias, (int) rows, (int) width);
  }
}
