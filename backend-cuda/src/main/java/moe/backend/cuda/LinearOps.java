package moe.backend.cuda;

import moe.spi.device.Activation;
import moe.spi.device.LinearWeights;
import moe.spi.device.Tensor;
import org.jspecify.annotations.Nullable;

/// Linear layers and their gradients.
final class LinearOps {
  private static final Operation FORWARD = new Operation("linear");
  private static final Operation BACKWARD = new Operation("linearBackward");
  private static final Operation HEAD = new Operation("linearCrossEntropy");

  private final Products products;
  private final @Nullable HalfDense dense;

  /// @param dense multiplies in 16 bits what it can; null for nothing
  LinearOps(Products products, @Nullable HalfDense dense) {
    this.products = products;
    this.dense = dense;
  }

  void forward(
      CudaStream stream, Tensor x, LinearWeights weights, Activation activation, Tensor y) {
    int rows = Math.toIntExact(x.shape().rows());
    long in = x.shape().lastDim();
    long out = y.shape().lastDim();
    FORWARD.matrix("x", x, rows, in);
    FORWARD.weight("weight", weights.weight(), out, in);
    FORWARD.matrix("y", y, rows, out);
    bias(FORWARD, "bias", weights.bias(), out);
    Tensor weight = weights.weight();
    Products.Groups one = Products.Groups.ONE;
    if (dense != null && dense.suits(rows, x, weight)) {
      dense.forward(stream, one, rows, x, weight, weights.bias(), activation, null, y);
      return;
    }
    if (dense != null && rows <= Products.FEW_ROWS) {
      weight = dense.rounded(stream, weight);
    }
    products.forward(stream, one, rows, x, weight, weights.bias(), activation, null, y);
  }

  void backward(
      CudaStream stream,
      Tensor dY,
      Tensor x,
      LinearWeights weights,
      @Nullable Tensor dX,
      LinearWeights gradients) {
    int rows = Math.toIntExact(x.shape().rows());
    long in = x.shape().lastDim();
    long out = dY.shape().lastDim();
    BACKWARD.matrix("dY", dY, rows, out);
    BACKWARD.matrix("x", x, rows, in);
    BACKWARD.matrix("weight", weights.weight(), out, in);
    BACKWARD.matrix("gradients.weight", gradients.weight(), out, in);
    bias(BACKWARD, "gradients.bias", gradients.bias(), out);
    if (dX != null) {
      BACKWARD.matrix("dX", dX, rows, in);
    }
    if (dense != null && dense.trains(weights.weight())) {
      dense.backward(stream, rows, dY, x, weights, dX, gradients);
      return;
    }
    if (dX != null) {
      products.backInput(
          stream,
          Products.Groups.ONE,
          rows,
          dY,
          weights.weight(),
          Activation.NONE,
          null,
          dX,
          false);
    }
    products.backWeight(
        stream, Products.Groups.ONE, rows, dY, x, gradients.weight(), gradients.bias());
  }

  /// `linear`, `crossEntropy` and `linearBackward` in one, if this layer multiplies in bf16.
  ///
  /// @return whether it was done
  boolean head(
      CudaStream stream,
      Tensor x,
      LinearWeights weights,
      Tensor targets,
      Tensor losses,
      float gradientScale,
      Tensor logits,
      Tensor dX,
      LinearWeights gradients) {
    long rows = x.shape().rows();
    if (dense == null
        || rows <= Products.FEW_ROWS
        || weights.bias() != null
        || !dense.trains(weights.weight())) {
      return false;
    }
    long in = x.shape().lastDim();
    long out = logits.shape().lastDim();
    HEAD.matrix("x", x, rows, in);
    HEAD.matrix("logits", logits, rows, out);
    HEAD.matrix("weight", weights.weight(), out, in);
    HEAD.matrix("gradients.weight", gradients.weight(), out, in);
    HEAD.matrix("dX", dX, rows, in);
    dense.lossAndBackward(
        stream, x, weights, targets, losses, gradientScale, logits, dX, gradients);
    return true;
  }

  private static void bias(Operation operation, String name, @Nullable Tensor bias, long out) {
    if (bias != null) {
      operation.floats(name, bias, out);
    }
  }
}
