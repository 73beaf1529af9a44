package moe.backend.opencl;

import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import moe.backend.opencl.driver.Driver;
import moe.backend.opencl.driver.FoundDevice;
import moe.backend.opencl.kernel.Compute;
import moe.backend.opencl.kernel.Peak;
import moe.spi.device.Backend;
import moe.spi.device.Capability;
import moe.spi.device.DType;
import moe.spi.device.DenseOps;
import moe.spi.device.DeviceInfo;
import moe.spi.device.MemoryUse;
import moe.spi.device.Shape;
import moe.spi.error.MoeException;

/// An open OpenCL device: tensors are its buffers, and stay there between calls.
public final class OpenClBackend implements Backend {
  /// The name of the factory, and of this backend in `[backend] prefer`.
  public static final String NAME = "opencl";

  private final DeviceInfo info;
  private final Compute compute;
  private final OpenClMemory memory;
  private final OpenClDenseOps dense = new OpenClDenseOps();
  private final Set<OpenClStream> streams = ConcurrentHashMap.newKeySet();
  private volatile boolean closed;

  OpenClBackend(DeviceInfo info, Driver driver, FoundDevice device) {
    this.info = info;
    compute = new Compute(driver, device);
    boolean done = false;
    try {
      memory = new OpenClMemory(compute, () -> streams.forEach(OpenClStream::settle));
      done = true;
    } finally {
      if (!done) {
        compute.close();
      }
    }
  }

  /// The device, for stages that bring their own kernels.
  public Compute compute() {
    return compute;
  }

  @Override
  public String name() {
    return NAME;
  }

  @Override
  public DeviceInfo device() {
    return info;
  }

  @Override
  public Set<Capability> capabilities() {
    Set<Capability> all = EnumSet.of(Capability.ASYNC, Capability.DETERMINISTIC);
    if (compute.device().shared()) {
      all.add(Capability.HOST_VISIBLE_MEMORY);
    }
    return all;
  }

  @Override
  public OpenClTensor allocate(DType type, Shape shape) {
    checkOpen();
    return memory.allocate(type, shape);
  }

  /// F32 of so many elements that are not set to zero, and cost nothing until they are used.
  OpenClTensor scratch(long elements) {
    return memory.scratch(elements);
  }

  @Override
  public OpenClStream newStream() {
    checkOpen();
    OpenClStream stream = new OpenClStream(this, streams::remove);
    streams.add(stream);
    return stream;
  }

  @Override
  public DenseOps dense() {
    return dense;
  }

  @Override
  public double measureFlops() {
    checkOpen();
    try (HeldMemory held = new HeldMemory(this);
        Peak peak = new Peak(compute, held)) {
      return peak.flopsPerSecond();
    }
  }

  @Override
  public double measureReadBandwidth() {
    checkOpen();
    try (HeldMemory held = new HeldMemory(this);
        Peak peak = new Peak(compute, held)) {
      return peak.readBytesPerSecond();
    }
  }

  @Override
  public MemoryUse memory() {
    return memory.use();
  }

  @Override
  public List<Throwable> openAllocations() {
    return memory.places();
  }

  /// Gives all back, also when the device is lost; then the first error is thrown.
  @Override
  public void close() {
    if (!closed) {
      closed = true;
      List<Runnable> parts = new ArrayList<>();
      streams.forEach(stream -> parts.add(stream::close));
      parts.add(memory::close);
      parts.add(compute::close);
      closeAll(parts);
    }
  }

  private static void closeAll(List<Runnable> parts) {
    MoeException first = null;
    for (Runnable part : parts) {
      try {
        part.run();
      } catch (MoeException e) {
        first = first == null ? e : first;
      }
    }
    if (first != null) {
      throw first;
    }
  }

  private void checkOpen() {
    if (closed) {
      throw new IllegalStateException("the OpenCL backend is closed");
    }
  }
}
