package moe.backend.cuda;

import moe.spi.device.Activation;
import moe.spi.device.Tensor;
import org.jspecify.annotations.Nullable;

/// Linear layers over float32 rows that are rounded on the way to tensor cores.
interface RoundingForward {
  /// Whether so many rows and these weights are taken.
  boolean suits(int rows, Tensor x, Tensor weight);

  /// `y = W·x + b`, rows as those of `Products.forward`.
  void product(
      CudaStream stream,
      Products.Groups groups,
      int rows,
      Tensor x,
      Tensor weight,
      @Nullable Tensor bias,
      Tensor y);

  /// As `Products.forward`.
  default void forward(
      CudaStream stream,
      Products.Groups groups,
      int rows,
      Tensor x,
      Tensor weight,
      @Nullable Tensor bias,
      Activation activation,
      @Nullable Tensor pre,
      Tensor y) {
    Tensor raised = pre == null ? y : pre;
    product(stream, groups, rows, x, weight, bias, raised);
    if (pre != null || activation != Activation.NONE) {
      ElementOps.activateFirst(stream, activation, raised, y, rows * y.shape().lastDim());
    }
  }
}
