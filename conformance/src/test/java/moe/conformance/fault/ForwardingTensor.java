package moe.conformance.fault;

import java.lang.foreign.MemorySegment;
import moe.spi.device.DType;
import moe.spi.device.Shape;
import moe.spi.device.Tensor;

/// A tensor that is another one; a fault overrides one method.
class ForwardingTensor implements Tensor {
  final Tensor real;

  ForwardingTensor(Tensor real) {
    this.real = real;
  }

  static Tensor behind(Tensor tensor) {
    return tensor instanceof ForwardingTensor forwarding ? forwarding.real : tensor;
  }

  @Override
  public DType type() {
    return real.type();
  }

  @Override
  public Shape shape() {
    return real.shape();
  }

  @Override
  public Tensor view(long firstElement, Shape window) {
    return real.view(firstElement, window);
  }

  @Override
  public MemorySegment segment() {
    return real.segment();
  }

  @Override
  public void close() {
    real.close();
  }
}
