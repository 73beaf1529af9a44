package moe.backend.cuda;

import moe.spi.device.Activation;
import moe.spi.device.LinearWeights;
import moe.spi.device.Tensor;
import org.jspecify.annotations.Nullable;

/// Dense layers in bf16: their operands are rounded on the way.
final class HalfDense {
  private static final Kernel BACK_BIAS = new Kernel("linear_back_weight", "moe_linear_back_bias");

  private final HalfProducts half;

  HalfDense(HalfProducts half) {
    this.half = half;
  }

  /// `y = activation(W·x + b)`.
  void forward(
      CudaStream stream,
      int rows,
      Tensor x,
      LinearWeights weights,
      Activation activation,
      Tensor y) {
    if (rows == 0) {
      return;
    }
    int in = (int) x.shape().lastDim();
    long rounded = stream.room(0, (long) rows * in);
    HalfRows.round(stream, x, rounded, rows, in, in);
    var layer = new HalfProducts.Layer(weights.weight(), weights.bias());
    half.dense(stream, rows, rounded, layer, y);
    if (activation != Activation.NONE) {
      ElementOps.activate(stream, activation, y, y);
    }
  }

  /// `dX = Wᵀ·dY`, `dW += dYᵀ·x`, `db += Σ dY`.
  void backward(
      CudaStream stream,
      int rows,
      Tensor dY,
      Tensor x,
      LinearWeights weights,
      @Nullable Tensor dX,
      LinearWeights gradients) {
    if (rows == 0) {
      return;
    }
    int in = (int) x.shape().lastDim();
    int out = (int) dY.shape().lastDim();
    int stride = (out + 7) & ~7; // the copy engine wants rows of a multiple of 16 bytes
    long roundedX = stream.room(1, (long) rows * in);
    HalfRows.round(stream, x, roundedX, rows, in, in);
    long rounded = stream.room(0, (long) rows * stride);
    HalfRows.round(stream, dY, rounded, rows, out, stride);
    Products.Groups one = Products.Groups.ONE;
    if (dX != null) {
      half.backInput(stream, one, rows, rounded, out, stride, weights.weight(), dX);
    }
    half.backWeight(stream, one, rows, rounded, out, stride, roundedX, gradients.weight());
    Tensor dBias = gradients.bias();
    if (dBias != null) {
      stream
          .launch(BACK_BIAS, 32, Math.ceilDiv(out, 32), 1, 1)
          .blockRows(32)
          .tensor(dY)
          .address(0)
          .tensor(dBias)
          .number(rows)
          .number(out)
          .run();
    }
  }
}
