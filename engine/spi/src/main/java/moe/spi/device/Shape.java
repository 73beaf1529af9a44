package moe.spi.device;

import java.util.Arrays;
import java.util.stream.Collectors;

/// The extents of a tensor, row-major: the last dimension is contiguous. Immutable.
public final class Shape {
  private final long[] dims;
  private final long elements;

  private Shape(long[] dims) {
    this.dims = dims;
    long product = 1;
    for (long dim : dims) {
      if (dim < 0) {
        throw new IllegalArgumentException("negative extent in shape " + Arrays.toString(dims));
      }
      product = Math.multiplyExact(product, dim);
    }
    this.elements = product;
  }

  /// A shape with these extents, each zero or more.
  ///
  /// @throws ArithmeticException if the number of elements exceeds a `long`
  public static Shape of(long... dims) {
    return new Shape(dims.clone());
  }

  /// The number of dimensions.
  public int rank() {
    return dims.length;
  }

  /// The extent of one dimension.
  public long dim(int index) {
    return dims[index];
  }

  /// The extent of the last dimension, 1 for a scalar.
  public long lastDim() {
    return dims.length == 0 ? 1 : dims[dims.length - 1];
  }

  /// The product of all extents but the last: how many contiguous rows there are.
  public long rows() {
    long product = 1;
    for (int i = 0; i < dims.length - 1; i++) {
      product *= dims[i];
    }
    return product;
  }

  /// The product of all extents.
  public long elements() {
    return elements;
  }

  /// The same shape with another first extent.
  public Shape withFirst(long extent) {
    long[] changed = dims.clone();
    changed[0] = extent;
    return new Shape(changed);
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof Shape shape && Arrays.equals(dims, shape.dims);
  }

  @Override
  public int hashCode() {
    return Arrays.hashCode(dims);
  }

  /// For example `[64, 768]`.
  @Override
  public String toString() {
    return Arrays.stream(dims).mapToObj(Long::toString).collect(Collectors.joining(", ", "[", "]"));
  }
}
