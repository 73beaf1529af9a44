package com.example.plain;

import java.lang.foreign.MemorySegment;
import java.util.function.Consumer;
import moe.spi.device.DType;
import moe.spi.device.Shape;
import moe.spi.device.Tensor;

/// A Java array, or a window on one: a view shares the array and begins elsewhere.
final class PlainTensor implements Tensor {
  private final DType type;
  private final Shape shape;
  private final float[] floats;
  private final int[] ints;
  private final int at;
  private final PlainTensor owner;
  private final Consumer<PlainTensor> onClose;
  private volatile boolean closed;

  PlainTensor(DType type, Shape shape, Consumer<PlainTensor> onClose) {
    this.type = type;
    this.shape = shape;
    int elements = (int) shape.elements();
    this.floats = new float[type == DType.F32 ? elements : 0];
    this.ints = new int[type == DType.I32 ? elements : 0];
    this.at = 0;
    this.owner = this;
    this.onClose = onClose;
  }

  private PlainTensor(PlainTensor of, long firstElement, Shape window) {
    this.type = of.type;
    this.shape = window;
    this.floats = of.floats;
    this.ints = of.ints;
    this.at = of.at + (int) firstElement;
    this.owner = of.owner;
    this.onClose = _ -> {};
  }

  /// The tensor behind the SPI's interface, as an operation needs it.
  ///
  /// @throws IllegalArgumentException if it is another backend's, or of another type or size
  static PlainTensor of(String name, Tensor given, DType type, long elements) {
    if (!(given instanceof PlainTensor tensor)) {
      throw new IllegalArgumentException(name + " is not a tensor of this backend");
    }
    if (tensor.type != type || tensor.shape.elements() != elements) {
      throw new IllegalArgumentException(
          "%s is %s %s, must be %s with %d elements"
              .formatted(name, tensor.type, tensor.shape, type, elements));
    }
    if (tensor.owner.closed) {
      throw new IllegalStateException(name + " is closed");
    }
    return tensor;
  }

  static PlainTensor floats(String name, Tensor given, long elements) {
    return of(name, given, DType.F32, elements);
  }

  /// F32 of so many rows and columns.
  static PlainTensor matrix(String name, Tensor given, long rows, long columns) {
    if (given.shape().lastDim() != columns) {
      throw new IllegalArgumentException(
          "%s is %s, its rows must have %d elements".formatted(name, given.shape(), columns));
    }
    return of(name, given, DType.F32, rows * columns);
  }

  static PlainTensor ints(String name, Tensor given, long elements) {
    return of(name, given, DType.I32, elements);
  }

  float get(int index) {
    return floats[at + index];
  }

  void set(int index, float value) {
    floats[at + index] = value;
  }

  void add(int index, float value) {
    floats[at + index] += value;
  }

  int id(int index) {
    return ints[at + index];
  }

  void setId(int index, int value) {
    ints[at + index] = value;
  }

  @Override
  public DType type() {
    return type;
  }

  @Override
  public Shape shape() {
    return shape;
  }

  @Override
  public PlainTensor view(long firstElement, Shape window) {
    if (firstElement < 0 || window.elements() > shape.elements() - firstElement) {
      throw new IndexOutOfBoundsException(
          "%s from element %d reaches beyond %s".formatted(window, firstElement, shape));
    }
    return new PlainTensor(this, firstElement, window);
  }

  @Override
  public MemorySegment segment() {
    MemorySegment all =
        type == DType.F32 ? MemorySegment.ofArray(floats) : MemorySegment.ofArray(ints);
    return all.asSlice((long) at * type.bytes(), byteSize());
  }

  @Override
  public void close() {
    if (owner == this) { // closing a view does nothing
      closed = true;
      onClose.accept(this);
    }
  }
}
