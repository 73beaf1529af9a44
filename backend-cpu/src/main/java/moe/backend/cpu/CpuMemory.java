package moe.backend.cpu;

import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import moe.backend.cpu.kernel.Elements;
import moe.backend.cpu.kernel.Floats;
import moe.backend.cpu.kernel.Halves;
import moe.backend.cpu.kernel.Ints;
import moe.spi.device.DType;
import moe.spi.device.MemoryUse;
import moe.spi.device.OpenTensors;
import moe.spi.device.Shape;
import moe.spi.error.ErrorKind;
import moe.spi.error.MoeException;
import org.jspecify.annotations.Nullable;

/// The Java heap as a device's memory: counts what is open, and refuses before the heap overflows.
/// Safe for use by several threads.
final class CpuMemory {
  /// Arrays end a little below 2³¹ elements, and vector loops must not overflow when they look one
  /// vector ahead.
  private static final long MAX_ELEMENTS = Integer.MAX_VALUE - 1024;

  private final long limitBytes;
  private final AtomicLong allocated = new AtomicLong();
  private final OpenTensors<CpuTensor> open = new OpenTensors<>();

  CpuMemory(long limitBytes) {
    this.limitBytes = limitBytes;
  }

  /// A new tensor of zeros.
  CpuTensor allocate(DType type, Shape shape) {
    if (shape.elements() > MAX_ELEMENTS) {
      throw new MoeException(
          ErrorKind.UNSUPPORTED,
          "cpu: a tensor %s has %,d elements, more than a Java array holds (%,d). Use smaller dimensions or another"
                  .formatted(shape, shape.elements(), MAX_ELEMENTS)
              + " backend.");
    }
    if (type == DType.F16) {
      throw new MoeException(
          ErrorKind.UNSUPPORTED, "cpu: type F16 is not supported. Use F32, or BF16 for weights.");
    }
    long bytes = shape.elements() * type.bytes();
    boolean refused = open.refusesNext();
    if (allocated.addAndGet(bytes) > limitBytes || refused) {
      allocated.addAndGet(-bytes);
      throw full(type, shape, bytes, null);
    }
    try {
      CpuTensor tensor = new CpuTensor(this, type, shape, elements(type, (int) shape.elements()));
      open.opened(tensor);
      return tensor;
    } catch (OutOfMemoryError e) {
      allocated.addAndGet(-bytes);
      throw full(type, shape, bytes, e);
    }
  }

  void closed(CpuTensor tensor) {
    if (open.closed(tensor)) {
      allocated.addAndGet(-tensor.byteSize());
    }
  }

  void closeAll() {
    open.report(CpuBackend.NAME);
    open.all().forEach(CpuTensor::close);
  }

  List<Throwable> places() {
    return open.places();
  }

  MemoryUse use() {
    return new MemoryUse(limitBytes, allocated.get());
  }

  private static Elements elements(DType type, int elements) {
    return switch (type) {
      case F32 -> new Floats(new float[elements], 0);
      case I32 -> new Ints(new int[elements], 0);
      case BF16, F16 -> new Halves(new short[elements], 0);
    };
  }

  private MoeException full(DType type, Shape shape, long bytes, @Nullable OutOfMemoryError cause) {
    return new MoeException(
        ErrorKind.MEMORY,
        "cpu: no room for a tensor %s %s: needed %,d bytes, free %,d of %,d. Make the model or the batch smaller, or"
                .formatted(type, shape, bytes, use().freeBytes(), limitBytes)
            + " give Java a larger heap (-Xmx).",
        cause);
  }
}
