package moe.backend.opencl;

import java.util.ArrayList;
import java.util.List;
import moe.backend.opencl.kernel.Memory;
import moe.backend.opencl.kernel.Region;
import moe.spi.device.DType;
import moe.spi.device.Shape;
import moe.spi.error.MoeException;

/// Tensors that one stage or stream holds, closed together; also when one of them finds no room.
public final class HeldMemory implements Memory, AutoCloseable {
  private final OpenClBackend backend;
  private final List<OpenClTensor> tensors = new ArrayList<>();
  private boolean closed;

  public HeldMemory(OpenClBackend backend) {
    this.backend = backend;
  }

  /// A tensor that others may see.
  ///
  /// @throws MoeException kind `MEMORY`; what is held so far is closed then
  public OpenClTensor tensor(DType type, long... dims) {
    try {
      OpenClTensor tensor = backend.allocate(type, Shape.of(dims));
      tensors.add(tensor);
      return tensor;
    } catch (MoeException e) {
      close();
      throw e;
    }
  }

  @Override
  public Region floats(long elements) {
    return tensor(DType.F32, elements).region();
  }

  /// F32 of so many elements, whatever they are.
  Region scratch(long elements) {
    OpenClTensor tensor = backend.scratch(elements);
    tensors.add(tensor);
    return tensor.region();
  }

  /// I32 of so many elements.
  public Region ints(long elements) {
    return tensor(DType.I32, elements).region();
  }

  /// Fails if it is used after it was closed.
  public void checkOpen() {
    if (closed) {
      throw new IllegalStateException("this stage is closed");
    }
  }

  @Override
  public void close() {
    closed = true;
    tensors.forEach(OpenClTensor::close);
    tensors.clear();
  }
}
