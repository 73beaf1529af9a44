package moe.backend.cuda;

import moe.spi.device.Activation;
import moe.spi.device.Tensor;
import org.jspecify.annotations.Nullable;

/// Linear layers over float32 rows that are rounded on the way to tensor cores.
interface RoundingForward {
  /// Whether so many rows and these weights are taken.
  boolean suits(int rows, Tensor x, Tensor weight);

  /// As `Products.forward`.
  void forward(
      CudaStream stream,
      Products.Groups groups,
      int rows,
      Tensor x,
      Tensor weight,
      @Nullable Tensor bias,
      Activation activation,
      @Nullable Tensor pre,
      Tensor y);
}
