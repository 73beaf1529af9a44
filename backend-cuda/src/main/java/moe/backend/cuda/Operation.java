package moe.backend.cuda;

import moe.spi.device.DType;
import moe.spi.device.Shape;
import moe.spi.device.Tensor;

/// Checks the shapes and types of the tensors given to an operation. Contents stay on the device,
/// so kernels skip indexes that are out of range.
///
/// @param name the operation, as messages name it
public record Operation(String name) {
  /// An F32 tensor of `rows` contiguous rows of `columns` elements.
  public void matrix(String tensor, Tensor given, long rows, long columns) {
    CudaTensor checked = typed(tensor, given, DType.F32);
    if (checked.shape().rows() != rows || checked.shape().lastDim() != columns) {
      throw misshapen(tensor, given, Shape.of(rows, columns));
    }
  }

  /// An F32 tensor of any shape with so many elements.
  public void floats(String tensor, Tensor given, long elements) {
    sized(tensor, typed(tensor, given, DType.F32), elements);
  }

  /// An I32 tensor of any shape with so many elements.
  public void ints(String tensor, Tensor given, long elements) {
    sized(tensor, typed(tensor, given, DType.I32), elements);
  }

  /// An F32 or BF16 tensor of `rows` contiguous rows of `columns` elements; whether it is BF16.
  public boolean weight(String tensor, Tensor given, long rows, long columns) {
    CudaTensor checked = CudaTensor.of(given);
    if (checked.type() != DType.F32 && checked.type() != DType.BF16) {
      throw new IllegalArgumentException(
          "%s: %s has type %s, must have F32 or BF16".formatted(name, tensor, checked.type()));
    }
    if (checked.shape().rows() != rows || checked.shape().lastDim() != columns) {
      throw misshapen(tensor, given, Shape.of(rows, columns));
    }
    return checked.type() == DType.BF16;
  }

  /// Fails unless a condition on a number holds.
  ///
  /// @param argument the number's name
  /// @param must what it must be, completed by `bound`
  public void require(boolean holds, String argument, long value, String must, long bound) {
    if (!holds) {
      throw new IllegalArgumentException(
          "%s: %s is %d, %s = %d".formatted(name, argument, value, must, bound));
    }
  }

  private CudaTensor typed(String tensor, Tensor given, DType type) {
    CudaTensor checked = CudaTensor.of(given);
    if (checked.type() != type) {
      throw new IllegalArgumentException(
          "%s: %s has type %s, must have %s".formatted(name, tensor, checked.type(), type));
    }
    return checked;
  }

  private void sized(String tensor, CudaTensor given, long elements) {
    if (given.shape().elements() != elements) {
      throw misshapen(tensor, given, Shape.of(elements));
    }
  }

  private IllegalArgumentException misshapen(String tensor, Tensor given, Shape wanted) {
    return new IllegalArgumentException(
        "%s: %s has shape %s, must have %s".formatted(name, tensor, given.shape(), wanted));
  }
}
