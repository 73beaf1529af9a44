package moe.backend.cuda.stage;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Supplier;
import moe.backend.cuda.CudaBackend;
import moe.backend.cuda.CudaTensor;
import moe.backend.cuda.HalfProducts;
import moe.spi.device.DType;
import moe.spi.device.Shape;
import moe.spi.error.MoeException;

/// The tensors of one stage, closed together; also when one of them finds no room.
final class StageMemory implements AutoCloseable {
  private final CudaBackend backend;
  private final List<CudaTensor> tensors = new ArrayList<>();
  private boolean closed;

  StageMemory(CudaBackend backend) {
    this.backend = backend;
  }

  /// F32 of this shape.
  CudaTensor floats(long... dims) {
    return allocate(DType.F32, dims);
  }

  /// Rows of the type of these products.
  CudaTensor halves(HalfProducts products, long... dims) {
    return keep(() -> products.allocate(Shape.of(dims)));
  }

  /// I32 of this shape.
  CudaTensor ints(long... dims) {
    return allocate(DType.I32, dims);
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
    tensors.forEach(CudaTensor::close);
    tensors.clear();
  }

  private CudaTensor allocate(DType type, long... dims) {
    return keep(() -> backend.allocate(type, Shape.of(dims)));
  }

  private CudaTensor keep(Supplier<CudaTensor> allocation) {
    try {
      CudaTensor tensor = allocation.get();
      tensors.add(tensor);
      return tensor;
    } catch (MoeException e) {
      close();
      throw e;
    }
  }
}
