package moe.backend.cuda;

import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import moe.spi.device.DType;
import moe.spi.device.MemoryUse;
import moe.spi.device.OpenTensors;
import moe.spi.device.Shape;
import moe.spi.error.ErrorKind;
import moe.spi.error.MoeException;

/// The memory of a device: counts what is open. Safe for use by several threads.
final class CudaMemory {
  private static final Driver.Handle NOTHING = () -> 0;

  private final Device device;
  private final Driver.Handle stream;
  private final AtomicLong allocated = new AtomicLong();
  private final OpenTensors<CudaTensor> open = new OpenTensors<>();

  /// @param stream for filling new tensors
  CudaMemory(Device device, Driver.Handle stream) {
    this.device = device;
    this.stream = stream;
  }

  /// A new tensor of zeros.
  CudaTensor allocate(DType type, Shape shape) {
    boolean beyond = shape.elements() > Long.MAX_VALUE / type.bytes();
    boolean refused = open.refusesNext() || beyond;
    long bytes = beyond ? Long.MAX_VALUE : shape.elements() * type.bytes();
    Driver driver = device.driver();
    Driver.Handle memory = refused ? null : bytes == 0 ? NOTHING : driver.allocate(bytes);
    if (memory == null) {
      throw full(type, shape, bytes);
    }
    allocated.addAndGet(bytes);
    CudaTensor tensor = new CudaTensor(this, memory, type, shape);
    open.opened(tensor);
    boolean zeros = bytes == 0;
    try {
      if (!zeros) {
        driver.zero(memory.address(), bytes, stream);
        driver.synchronize(stream);
        zeros = true;
      }
    } finally {
      if (!zeros) {
        tensor.close();
      }
    }
    return tensor;
  }

  void closed(CudaTensor tensor, Driver.Handle memory) {
    if (open.closed(tensor)) {
      allocated.addAndGet(-tensor.byteSize());
      if (memory.address() != 0) {
        device.release("memory", () -> device.driver().free(memory));
      }
    }
  }

  void closeAll() {
    open.report(CudaBackend.NAME);
    open.all().forEach(CudaTensor::close);
  }

  List<Throwable> places() {
    return open.places();
  }

  MemoryUse use() {
    long held = allocated.get();
    return new MemoryUse(held + device.driver().memory().free(), held);
  }

  private MoeException full(DType type, Shape shape, long bytes) {
    Driver.Memory memory = device.driver().memory();
    CudaTensor largest = null;
    for (CudaTensor tensor : open.all()) {
      if (largest == null || tensor.byteSize() > largest.byteSize()) {
        largest = tensor;
      }
    }
    String most =
        largest == null
            ? ""
            : ", the largest a tensor %s of %,d".formatted(largest, largest.byteSize());
    return new MoeException(
        ErrorKind.MEMORY,
        "cuda: no room for a tensor %s %s: needed %,d bytes, free %,d of %,d; this backend holds %,d%s."
                .formatted(type, shape, bytes, memory.free(), memory.total(), allocated.get(), most)
            + " Make batch_size, seq_length or the model smaller, or free the GPU.");
  }
}
