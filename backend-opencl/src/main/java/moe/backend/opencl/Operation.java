package moe.backend.opencl;

import moe.backend.opencl.kernel.Region;
import moe.spi.device.DType;
import moe.spi.device.Shape;
import moe.spi.device.Tensor;
import org.jspecify.annotations.Nullable;

/// Checks the tensors given to an operation, and says where they are. Allocates nothing if all is
/// well. What lies in a tensor is not looked at: that would wait for the device; kernels leave out
/// indexes beyond their tables.
///
/// @param name the operation, as messages name it
public record Operation(String name) {
  /// An F32 tensor of `rows` contiguous rows of `columns` elements.
  public Region matrix(String tensor, Tensor given, long rows, long columns) {
    OpenClTensor checked = typed(tensor, given, DType.F32);
    if (checked.shape().rows() != rows || checked.shape().lastDim() != columns) {
      throw misshapen(tensor, given, Shape.of(rows, columns));
    }
    return checked.region();
  }

  /// An F32 tensor of any shape with so many elements.
  public Region floats(String tensor, Tensor given, long elements) {
    return sized(tensor, given, DType.F32, elements);
  }

  /// The same, or null for none.
  public @Nullable Region optional(String tensor, @Nullable Tensor given, long elements) {
    return given == null ? null : floats(tensor, given, elements);
  }

  /// An I32 tensor of any shape with so many elements.
  public Region ints(String tensor, Tensor given, long elements) {
    return sized(tensor, given, DType.I32, elements);
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

  OpenClTensor tensor(String tensor, Tensor given) {
    if (given instanceof OpenClTensor checked) {
      return checked;
    }
    throw new IllegalArgumentException(
        "%s: %s is a %s, not a tensor of the OpenCL backend"
            .formatted(name, tensor, given.getClass().getSimpleName()));
  }

  private Region sized(String tensor, Tensor given, DType type, long elements) {
    OpenClTensor checked = typed(tensor, given, type);
    if (checked.shape().elements() != elements) {
      throw misshapen(tensor, given, Shape.of(elements));
    }
    return checked.region();
  }

  private OpenClTensor typed(String tensor, Tensor given, DType type) {
    OpenClTensor checked = tensor(tensor, given);
    if (checked.type() != type) {
      throw new IllegalArgumentException(
          "%s: %s has type %s, must have %s".formatted(name, tensor, checked.type(), type));
    }
    return checked;
  }

  private IllegalArgumentException misshapen(String tensor, Tensor given, Shape wanted) {
    return new IllegalArgumentException(
        "%s: %s has shape %s, must have %s".formatted(name, tensor, given.shape(), wanted));
  }
}
