package moe.backend.cuda;

import moe.spi.device.NormStatistics;
import moe.spi.device.NormWeights;
import moe.spi.device.Tensor;

/// Layer norm and its gradient.
final class NormOps {
  private static final Operation FORWARD = new Operation("layerNorm");
  private static final Operation BACKWARD = new Operation("layerNormBackward");
  private static final Kernel NORM = new Kernel("layer_norm", "moe_layer_norm");
  private static final Kernel ADD_NORM = new Kernel("layer_norm", "moe_add_layer_norm");
  private static final Kernel BACK = new Kernel("layer_norm", "moe_layer_norm_back");
  private static final Kernel BACK_WEIGHTS =
      new Kernel("layer_norm", "moe_layer_norm_back_weights");

  private NormOps() {}

  static void forward(
      CudaStream stream,
      Tensor x,
      NormWeights weights,
      float epsilon,
      Tensor y,
      NormStatistics statistics) {
    check(x, weights, y, statistics);
    Launch launch = stream.launch(NORM, 256, x.shape().rows(), 1, 1).dependent().reads(x);
    rest(launch, weights, epsilon, y, statistics);
  }

  /// @param x becomes `a + b`; may be one of them
  static void addForward(
      CudaStream stream,
      Tensor a,
      Tensor b,
      Tensor x,
      NormWeights weights,
      float epsilon,
      Tensor y,
      NormStatistics statistics) {
    check(x, weights, y, statistics);
    FORWARD.floats("a", a, x.shape().elements());
    FORWARD.floats("b", b, x.shape().elements());
    Launch launch = stream.launch(ADD_NORM, 256, x.shape().rows(), 1, 1).dependent();
    rest(launch.reads(a).reads(b).tensor(x), weights, epsilon, y, statistics);
  }

  private static void check(Tensor x, NormWeights weights, Tensor y, NormStatistics statistics) {
    long rows = x.shape().rows();
    long width = x.shape().lastDim();
    FORWARD.matrix("x", x, rows, width);
    FORWARD.matrix("y", y, rows, width);
    FORWARD.floats("gain", weights.gain(), width);
    FORWARD.floats("bias", weights.bias(), width);
    FORWARD.floats("mean", statistics.mean(), rows);
    FORWARD.floats("inverseDeviation", statistics.inverseDeviation(), rows);
  }

  private static void rest(
      Launch launch, NormWeights weights, float epsilon, Tensor y, NormStatistics statistics) {
    launch
        .reads(weights.gain())
        .reads(weights.bias())
        .tensor(y)
        .tensor(statistics.mean())
        .tensor(statistics.inverseDeviation())
        .number(y.shape().lastDim())
        .real(epsilon)
        .run();
  }

  static void backward(
      CudaStream stream,
      Tensor dY,
      Tensor x,
      NormWeights weights,
      NormStatistics statistics,
      Tensor dX,
      NormWeights gradients) {
    long rows = x.shape().rows();
    long width = x.shape().lastDim();
    BACKWARD.matrix("dY", dY, rows, width);
    BACKWARD.matrix("x", x, rows, width);
    BACKWARD.matrix("dX", dX, rows, width);
    BACKWARD.floats("gain", weights.gain(), width);
    BACKWARD.floats("mean", statistics.mean(), rows);
    BACKWARD.floats("inverseDeviation", statistics.inverseDeviation(), rows);
    BACKWARD.floats("gradients.gain", gradients.gain(), width);
    BACKWARD.floats("gradients.bias", gradients.bias(), width);
    stream
        .launch(BACK, 256, rows, 1, 1)
        .tensor(dY)
        .tensor(x)
        .tensor(weights.gain())
        .tensor(statistics.mean())
        .tensor(statistics.inverseDeviation())
        .tensor(dX)
        .number(width)
        .run();
    stream
        .launch(BACK_WEIGHTS, 32, Math.ceilDiv(width, 32), 1, 1)
        .blockRows(32)
        .tensor(dY)
        .tensor(x)
        .tensor(statistics.mean())
        .tensor(statistics.inverseDeviation())
        .tensor(gradients.gain())
        .tensor(gradients.bias())
        .number(rows)
        .number(width)
        .run();
  }
}
