package moe.backend.cuda;

import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;
import moe.spi.device.DType;
import moe.spi.device.MemoryUse;
import moe.spi.device.Shape;
import moe.spi.error.ErrorKind;
import moe.spi.error.MoeException;

/// The memory of a device: counts what is open. Safe for use by several threads.
final class CudaMemory {
  private static final Driver.Handle NOTHING = () -> 0;

  private final Device device;
  private final Driver.Handle stream;
  private final AtomicLong allocated = new AtomicLong();
  private final Set<CudaTensor> open = ConcurrentHashMap.newKeySet();

  /// @param stream for filling new tensors
  CudaMemory(Device device, Driver.Handle stream) {
    this.device = device;
    this.stream = stream;
  }

  /// A new tensor of zeros.
  CudaTensor allocate(DType type, Shape shape) {
    if (type == DType.F16) {
      throw new MoeException(
          ErrorKind.UNSUPPORTED, "cuda: type F16 is not supported. Use F32, or BF16 for weights.");
    }
    boolean beyond = shape.elements() > Long.MAX_VALUE / type.bytes();
    long bytes = beyond ? Long.MAX_VALUE : shape.elements() * type.bytes();
    Driver driver = device.driver();
    Driver.Handle memory = bytes == 0 ? NOTHING : beyond ? null : driver.allocate(bytes);
    if (memory == null) {
      throw full(type, shape, bytes);
    }
    if (bytes > 0) {
      driver.zero(memory.address(), bytes, stream);
      driver.synchronize(stream);
    }
    allocated.addAndGet(bytes);
    CudaTensor tensor = new CudaTensor(this, memory, type, shape);
    open.add(tensor);
    return tensor;
  }

  void closed(CudaTensor tensor, Driver.Handle memory) {
    if (open.remove(tensor)) {
      allocated.addAndGet(-tensor.byteSize());
      if (memory.address() != 0) {
        device.release("memory", () -> device.driver().free(memory));
      }
    }
  }

  void closeAll() {
    open.forEach(CudaTensor::close);
  }

  MemoryUse use() {
    long held = allocated.get();
    return new MemoryUse(held + device.driver().memory().free(), held);
  }

  private MoeException full(DType type, Shape shape, long bytes) {
    Driver.Memory memory = device.driver().memory();
    CudaTensor largest = null;
    for (CudaTensor tensor : open) {
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
