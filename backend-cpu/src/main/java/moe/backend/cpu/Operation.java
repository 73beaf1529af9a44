package moe.backend.cpu;

import moe.backend.cpu.kernel.Elements;
import moe.backend.cpu.kernel.Floats;
import moe.backend.cpu.kernel.Ints;
import moe.spi.device.DType;
import moe.spi.device.Shape;
import moe.spi.device.Tensor;

/// Checks the tensors given to an operation, and opens them. Allocates nothing if all is well.
///
/// @param name the operation, as messages name it
public record Operation(String name) {
  /// An F32 tensor of `rows` contiguous rows of `columns` elements.
  public Floats matrix(String tensor, Tensor given, long rows, long columns) {
    CpuTensor checked = typed(tensor, given, DType.F32);
    if (checked.shape().rows() != rows || checked.shape().lastDim() != columns) {
      throw misshapen(tensor, given, Shape.of(rows, columns));
    }
    return checked.floats();
  }

  /// An F32 tensor of any shape with so many elements.
  public Floats floats(String tensor, Tensor given, long elements) {
    CpuTensor checked = typed(tensor, given, DType.F32);
    if (checked.shape().elements() != elements) {
      throw misshapen(tensor, given, Shape.of(elements));
    }
    return checked.floats();
  }

  /// An I32 tensor of any shape with so many elements.
  public Ints ints(String tensor, Tensor given, long elements) {
    CpuTensor checked = typed(tensor, given, DType.I32);
    if (checked.shape().elements() != elements) {
      throw misshapen(tensor, given, Shape.of(elements));
    }
    return checked.ints();
  }

  /// An F32 or BF16 tensor of `rows` contiguous rows of `columns` elements.
  public Elements weight(String tensor, Tensor given, long rows, long columns) {
    CpuTensor checked = tensor(tensor, given);
    if (checked.type() != DType.F32 && checked.type() != DType.BF16) {
      throw new IllegalArgumentException(
          "%s: %s has type %s, must have F32 or BF16".formatted(name, tensor, checked.type()));
    }
    if (checked.shape().rows() != rows || checked.shape().lastDim() != columns) {
      throw misshapen(tensor, given, Shape.of(rows, columns));
    }
    return checked.elements();
  }

  /// An I32 tensor whose elements are each at least `from` and below `to`.
  public Ints indexes(String tensor, Tensor given, long elements, long from, long to) {
    Ints ints = ints(tensor, given, elements);
    range(tensor, ints, elements, from, to);
    return ints;
  }

  /// Fails unless the first `n` elements are each at least `from` and below `to`.
  public void range(String tensor, Ints ints, long n, long from, long to) {
    for (int i = 0; i < n; i++) {
      int index = ints.get(i);
      if (index < from || index >= to) {
        throw new IllegalArgumentException(
            "%s: %s[%d] is %d, must be at least %d and below %d"
                .formatted(name, tensor, i, index, from, to));
      }
    }
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

  private CpuTensor typed(String tensor, Tensor given, DType type) {
    CpuTensor checked = tensor(tensor, given);
    if (checked.type() != type) {
      throw new IllegalArgumentException(
          "%s: %s has type %s, must have %s".formatted(name, tensor, checked.type(), type));
    }
    return checked;
  }

  CpuTensor tensor(String tensor, Tensor given) {
    if (given instanceof CpuTensor checked) {
      return checked;
    }
    throw new IllegalArgumentException(
        "%s: %s is a %s, not a tensor of the CPU backend"
            .formatted(name, tensor, given.getClass().getSimpleName()));
  }

  private IllegalArgumentException misshapen(String tensor, Tensor given, Shape wanted) {
    return new IllegalArgumentException(
        "%s: %s has shape %s, must have %s".formatted(name, tensor, given.shape(), wanted));
  }
}
