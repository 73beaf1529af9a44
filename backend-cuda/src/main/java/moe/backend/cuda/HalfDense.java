package moe.backend.cuda;

import moe.spi.device.DType;
import moe.spi.device.LinearWeights;
import moe.spi.device.Tensor;
import org.jspecify.annotations.Nullable;

/// Linear layers in bf16 or binary16 over float32 rows: their operands are rounded on the way.
final class HalfDense implements RoundingForward {
  private final HalfProducts half;

  HalfDense(HalfProducts half) {
    this.half = half;
  }

  @Override
  public boolean suits(int rows, Tensor x, Tensor weight) {
    return rows > Products.FEW_ROWS && half.reads(weight);
  }

  /// Weights to be read by float32 products of a handful of rows.
  Tensor rounded(CudaStream stream, Tensor weight) {
    return half.reads(weight) ? half.rounded(stream, weight) : weight;
  }

  /// Whether there are gradients in this format.
  boolean trains() {
    return half.trains();
  }

  /// Whether there are gradients in this format for a layer of these weights.
  boolean trains(Tensor weight) {
    return half.trains() && half.reads(weight);
  }

  @Override
  public void product(
      CudaStream stream,
      Products.Groups groups,
      int rows,
      Tensor x,
      Tensor weight,
      @Nullable Tensor bias,
      Tensor y) {
    int in = (int) x.shape().lastDim();
    long rounded = stream.room(0, (long) rows * in);
    if (half.type() == DType.F16) {
      HalfRows.gather(stream, groups, rows, x, rounded);
    } else if (groups.assignments() == null) {
      rounded = HalfRows.rounded(stream, x, rounded, rows, in);
    } else {
      throw new IllegalArgumentException("rows of bf16 are sorted");
    }
    half.forward(stream, groups.sorted(), rows, rounded, new HalfProducts.Layer(weight, bias), y);
  }

  /// A head without bias, its loss and its gradients: logits stay in float32 and their gradient is
  /// rounded as it is made.
  ///
  /// @param logits F32 `[rows, vocab]`, overwritten
  void lossAndBackward(
      CudaStream stream,
      Tensor x,
      LinearWeights weights,
      Tensor targets,
      Tensor losses,
      float gradientScale,
      Tensor logits,
      Tensor dX,
      LinearWeights gradients) {
    int rows = Math.toIntExact(x.shape().rows());
    int in = (int) x.shape().lastDim();
    int vocab = (int) logits.shape().lastDim();
    int stride = stride(vocab);
    long roundedX = HalfRows.rounded(stream, x, stream.room(1, (long) rows * in), rows, in);
    long dLogits = stream.room(0, (long) rows * stride);
    Products.Groups one = Products.Groups.ONE;
    var layer = new HalfProducts.Layer(weights.weight(), null);
    half.forward(stream, one, rows, roundedX, layer, logits);
    TokenOps.crossEntropy(stream, logits, targets, losses, gradientScale, dLogits, stride);
    half.backInput(stream, one, rows, dLogits, vocab, stride, weights.weight(), dX);
    half.backWeight(stream, one, rows, dLogits, vocab, stride, roundedX, gradients.weight());
  }

  /// The copy engine wants rows of a multiple of 16 bytes.
  private static int stride(int width) {
    return (width + 7) & ~7;
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
    int stride = stride(out);
    long roundedX = HalfRows.rounded(stream, x, stream.room(1, (long) rows * in), rows, in);
    long rounded = HalfRows.rounded(stream, dY, stream.room(0, (long) rows * stride), rows, stride);
    Products.Groups one = Products.Groups.ONE;
    if (dX != null) {
      half.backInput(stream, one, rows, rounded, out, stride, weights.weight(), dX);
    }
    half.backWeight(stream, one, rows, rounded, out, stride, roundedX, gradients.weight());
    Products.backBias(stream, one, rows, dY, gradients.bias());
  }
}
