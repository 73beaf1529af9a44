package moe.backend.opencl;

import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import moe.backend.opencl.driver.DriverException;
import moe.backend.opencl.driver.FoundDevice;
import moe.backend.opencl.driver.Status;
import moe.backend.opencl.kernel.Compute;
import moe.backend.opencl.kernel.WorkQueue;
import moe.spi.device.DType;
import moe.spi.device.MemoryUse;
import moe.spi.device.OpenTensors;
import moe.spi.device.Shape;
import moe.spi.error.ErrorKind;
import moe.spi.error.MoeException;
import org.jspecify.annotations.Nullable;

/// The memory of a device: counts what is open, and refuses before the device is full. Safe for use
/// by several threads.
final class OpenClMemory {
  /// A buffer of no bytes does not exist.
  private static final long LEAST_BYTES = 4;

  private final Compute compute;
  private final FoundDevice device;
  private final WorkQueue queue;
  private final Runnable waitForStreams;
  private final AtomicLong allocated = new AtomicLong();
  private final OpenTensors<OpenClTensor> open = new OpenTensors<>();

  /// @param waitForStreams waits until no stream uses memory any more
  OpenClMemory(Compute compute, Runnable waitForStreams) {
    this.compute = compute;
    this.device = compute.device();
    this.queue = compute.newQueue();
    this.waitForStreams = waitForStreams;
  }

  /// A new tensor of zeros.
  OpenClTensor allocate(DType type, Shape shape) {
    return allocate(type, shape, true);
  }

  /// A new F32 tensor of whatever lies there.
  OpenClTensor scratch(long elements) {
    return allocate(DType.F32, Shape.of(elements), false);
  }

  private OpenClTensor allocate(DType type, Shape shape, boolean zeros) {
    if (type == DType.F16 || type == DType.BF16) {
      throw new MoeException(
          ErrorKind.UNSUPPORTED, "opencl: type %s is not supported. Use F32.".formatted(type));
    }
    if (shape.elements() > device.maxAllocationBytes() / type.bytes()) {
      throw new MoeException(
          ErrorKind.UNSUPPORTED,
          "opencl: a tensor %s %s is larger than a buffer of %s (%,d bytes). Use smaller dimensions or another backend."
              .formatted(type, shape, device.name(), device.maxAllocationBytes()));
    }
    long bytes = shape.elements() * type.bytes();
    boolean refused = open.refusesNext();
    if (allocated.addAndGet(bytes) > device.memoryBytes() || refused) {
      allocated.addAndGet(-bytes);
      throw full(type, shape, bytes, null);
    }
    try {
      OpenClTensor tensor = create(type, shape, bytes, zeros);
      open.opened(tensor);
      return tensor;
    } catch (DriverException e) {
      allocated.addAndGet(-bytes);
      throw switch (e.status()) {
        case Status.ALLOCATION_FAILURE,
            Status.OUT_OF_RESOURCES,
            Status.OUT_OF_HOST_MEMORY,
            Status.INVALID_BUFFER_SIZE ->
            full(type, shape, bytes, e);
        default -> compute.failure(e);
      };
    }
  }

  void release(OpenClTensor tensor, long buffer, @Nullable MemorySegment shared) {
    if (open.closed(tensor)) {
      allocated.addAndGet(-tensor.byteSize());
      if (shared != null) { // the driver keeps a buffer until its work is done, but not this
        waitForStreams.run();
      }
      try {
        compute.driver().releaseBuffer(buffer);
        if (shared != null) {
          compute.driver().freeShared(compute.context(), shared.address());
        }
      } catch (DriverException e) {
        throw compute.failure(e);
      }
    }
  }

  MemoryUse use() {
    return new MemoryUse(device.memoryBytes(), allocated.get());
  }

  List<Throwable> places() {
    return open.places();
  }

  void close() {
    open.report(OpenClBackend.NAME);
    open.all().forEach(OpenClTensor::close);
    queue.close();
  }

  /// @param zeros makes sure that the memory is there: drivers find it at first use
  private OpenClTensor create(DType type, Shape shape, long bytes, boolean zeros) {
    long size = Math.max(bytes, LEAST_BYTES);
    long address = 0;
    long buffer = 0;
    boolean done = false;
    try {
      if (device.shared()) {
        address = compute.driver().allocateShared(compute.context(), size);
        if (address == 0) {
          throw new DriverException("clSVMAlloc", Status.ALLOCATION_FAILURE);
        }
      }
      buffer = compute.driver().createBuffer(compute.context(), size, address);
      MemorySegment shared = address == 0 ? null : at(address, bytes);
      if (zeros && shared != null) {
        shared.fill((byte) 0);
      } else if (zeros) {
        queue.zeroNow(buffer, size);
      }
      done = true;
      return new OpenClTensor(this, type, shape, buffer, shared);
    } finally {
      if (!done && buffer != 0) {
        compute.driver().releaseBuffer(buffer);
      }
      if (!done && address != 0) {
        compute.driver().freeShared(compute.context(), address);
      }
    }
  }

  @SuppressWarnings("restricted") // the driver has just allocated so many bytes there
  private static MemorySegment at(long address, long bytes) {
    return MemorySegment.ofAddress(address).reinterpret(bytes);
  }

  private MoeException full(DType type, Shape shape, long bytes, @Nullable DriverException cause) {
    return new MoeException(
        ErrorKind.MEMORY,
        "opencl: no room on %s for a tensor %s %s: needed %,d bytes, free %,d of %,d. Make the model or the batch smaller, or choose another backend."
            .formatted(device.name(), type, shape, bytes, use().freeBytes(), device.memoryBytes()),
        cause);
  }
}
