package moe.engine.model;

import java.util.ArrayDeque;
import java.util.Deque;
import moe.spi.device.Backend;
import moe.spi.device.DType;
import moe.spi.device.Shape;
import moe.spi.device.Tensor;

/// Tensors that are allocated one by one and closed together.
public final class Buffers implements AutoCloseable {
  private final Backend backend;
  private final Deque<Tensor> open = new ArrayDeque<>();

  public Buffers(Backend backend) {
    this.backend = backend;
  }

  /// A new F32 tensor of zeros.
  public Tensor f32(long... dims) {
    return allocate(DType.F32, Shape.of(dims));
  }

  /// A new I32 tensor of zeros.
  public Tensor i32(long... dims) {
    return allocate(DType.I32, Shape.of(dims));
  }

  /// A new tensor of zeros.
  public Tensor allocate(DType type, Shape shape) {
    Tensor tensor = backend.allocate(type, shape);
    open.push(tensor);
    return tensor;
  }

  /// Closes all tensors, the youngest first.
  @Override
  public void close() {
    while (!open.isEmpty()) {
      open.pop().close();
    }
  }
}
