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
  private static final Kernel BACK = new Kernel("layer_norm_back", "moe_layer_norm_back");
  private static final Kernel BACK_WEIGHTS =
      new Kernel("layer_norm_back", "moe_layer_norm_back_weights");
  private static final Kernel NARROW = new Kernel("layer_norm", "moe_layer_norm_narrow");
  private static final Kernel ADD_NARROW = new Kernel("layer_norm", "moe_add_layer_norm_narrow");
  private static final Kernel BACK_768 = new Kernel("layer_norm_back", "moe_layer_norm_back_768");
  private static final Kernel BACK_1024 = new Kernel("layer_norm_back", "moe_layer_norm_back_1024");
  private static final Kernel SUM_PARTS = new Kernel("layer_norm_back", "moe_layer_norm_sum_parts");
  private static final int MOST_NARROW = 1024;
  private static final int ROWS_PER_BLOCK = 8; // of narrow ones

  private NormOps() {}

  /// @param half whether products that follow may read `y` in bf16
  static void forward(
      CudaStream stream,
      boolean half,
      Tensor x,
      NormWeights weights,
      float epsilon,
      Tensor y,
      NormStatistics statistics) {
    check(x, weights, y, statistics);
    boolean narrow = isNarrow(x, y, weights.gain(), weights.bias());
    Launch launch = launch(stream, narrow ? NARROW : NORM, x, narrow).dependent().reads(x);
    rest(stream, launch, half, weights, epsilon, y, statistics, narrow);
  }

  /// @param half whether products that follow may read `y` in bf16
  /// @param x becomes `a + b`; may be one of them
  static void addForward(
      CudaStream stream,
      boolean half,
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
    boolean narrow = isNarrow(x, y, a, b, weights.gain(), weights.bias());
    Launch launch = launch(stream, narrow ? ADD_NARROW : ADD_NORM, x, narrow).dependent();
    launch.reads(a).reads(b).tensor(x);
    rest(stream, launch, half, weights, epsilon, y, statistics, narrow);
  }

  /// Whether a row fits into a warp's registers, 4 neighbours at a time.
  private static boolean isNarrow(Tensor rows, Tensor... others) {
    int width = (int) rows.shape().lastDim();
    boolean inFours = width <= MOST_NARROW && Products.inFours(rows, width);
    for (Tensor other : others) {
      inFours &= Products.inFours(other, width);
    }
    return inFours;
  }

  private static Launch launch(CudaStream stream, Kernel kernel, Tensor x, boolean narrow) {
    long rows = x.shape().rows();
    return stream.launch(kernel, 256, narrow ? Math.ceilDiv(rows, ROWS_PER_BLOCK) : rows, 1, 1);
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
      CudaStream stream,
      Launch launch,
      boolean half,
      NormWeights weights,
      float epsilon,
      Tensor y,
      NormStatistics statistics,
      boolean narrow) {
    launch.reads(weights.gain()).reads(weights.bias()).tensor(y);
    boolean leaves = half && narrow && RoundedRows.suits(y);
    if (narrow) {
      launch.tensor(leaves ? stream.roundedRows().room(y) : null);
    }
    launch.tensor(statistics.mean()).tensor(statistics.inverseDeviation());
    if (narrow) {
      launch.number(y.shape().rows());
    }
    launch.number(y.shape().lastDim()).real(epsilon).run();
    if (leaves) {
      stream.roundedRows().left(y);
    }
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
    if (isNarrow(x, dY, dX, weights.gain())) {
      narrowBack(stream, dY, x, weights, statistics, dX, gradients);
      return;
    }
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

  /// All gradients in one pass, those of the weights in parts.
  private static void narrowBack(
      CudaStream stream,
      Tensor dY,
      Tensor x,
      NormWeights weights,
      NormStatistics statistics,
      Tensor dX,
      NormWeights gradients) {
    long rows = x.shape().rows();
    long width = x.shape().lastDim();
    if (rows == 0) {
      return;
    }
    long blocks = Math.min(Math.ceilDiv(rows, ROWS_PER_BLOCK), 2L * stream.multiprocessors());
    long parts = Parts.room(stream, blocks * 2 * width);
    stream
        .launch(width <= 768 ? BACK_768 : BACK_1024, 256, blocks, 1, 1)
        .dependent()
        .reads(dY)
        .reads(x)
        .reads(weights.gain())
        .reads(statistics.mean())
        .reads(statistics.inverseDeviation())
        .tensor(dX)
        .address(parts)
        .number(rows)
        .number(width)
        .run();
    stream
        .launch(SUM_PARTS, 32, Math.ceilDiv(width, 32), 2, 1)
        .blockRows(32)
        .dependent()
        .address(parts)
        .tensor(gradients.gain())
        .tensor(gradients.bias())
        .number(blocks)
        .number(width)
        .run();
  }
}
