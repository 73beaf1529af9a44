package moe.backend.cpu.stage;

import java.util.ArrayList;
import java.util.List;
import moe.backend.cpu.CpuBackend;
import moe.backend.cpu.CpuTensor;
import moe.backend.cpu.kernel.Floats;
import moe.backend.cpu.kernel.Ints;
import moe.spi.device.DType;
import moe.spi.device.Shape;
import moe.spi.error.MoeException;

/// The tensors of one stage, closed together; also when one of them finds no room.
final class StageMemory implements AutoCloseable {
  private final CpuBackend backend;
  private final List<CpuTensor> tensors = new ArrayList<>();
  private boolean closed;

  StageMemory(CpuBackend backend) {
    this.backend = backend;
  }

  /// F32 of this shape that others may see.
  CpuTensor tensor(long... dims) {
    return allocate(DType.F32, dims);
  }

  /// F32 of this shape.
  Floats floats(long... dims) {
    return allocate(DType.F32, dims).floats();
  }

  /// I32 of this shape.
  Ints ints(long... dims) {
    return allocate(DType.I32, dims).ints();
  }

  /// Fails if the stage is used after it was closed.
  void checkOpen() {
    if (closed) {
      throw new IllegalStateException("this stage is closed");
    }
  }

  @Override
  public void close() {
    closed = true;
    tensors.forEach(CpuTensor::close);
    tensors.clear();
  }

  private CpuTensor allocate(DType type, long... dims) {
    try {
      CpuTensor tensor = backend.allocate(type, Shape.of(dims));
      tensors.add(tensor);
      return tensor;
    } catch (MoeException e) {
      close();
      throw e;
    }
  }
}
