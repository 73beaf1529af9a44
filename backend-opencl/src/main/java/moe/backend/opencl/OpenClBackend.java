package moe.backend.opencl;

import java.util.EnumSet;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import moe.backend.opencl.driver.Driver;
import moe.backend.opencl.driver.FoundDevice;
import moe.backend.opencl.kernel.Compute;
import moe.spi.device.Backend;
import moe.spi.device.Capability;
import moe.spi.device.DType;
import moe.spi.device.DenseOps;
import moe.spi.device.DeviceInfo;
import moe.spi.device.MemoryUse;
import moe.spi.device.Shape;

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
    return 0;
  }

  @Override
  public double measureReadBandwidth() {
    checkOpen();
    return 0;
  }

  @Override
  public MemoryUse memory() {
    return memory.use();
  }

  @Override
  public void close() {
    if (!closed) {
      closed = true;
      streams.forEach(OpenClStream::close);
      memory.close();
      compute.close();
    }
  }

  private void checkOpen() {
    if (closed) {
      throw new IllegalStateException("the OpenCL backend is closed");
    }
  }
}
