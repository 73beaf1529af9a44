package moe.backend.cpu;

import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import moe.backend.cpu.kernel.CpuThreads;
import moe.backend.cpu.kernel.InnerLoops;
import moe.backend.cpu.kernel.Peak;
import moe.spi.device.Backend;
import moe.spi.device.Capability;
import moe.spi.device.DType;
import moe.spi.device.DenseOps;
import moe.spi.device.DeviceInfo;
import moe.spi.device.MemoryUse;
import moe.spi.device.Shape;

/// The processor as a device: tensors are Java arrays, work is done at once on all threads.
public final class CpuBackend implements Backend {
  /// The name of the factory, and of this backend in `[backend] prefer`.
  public static final String NAME = "cpu";

  private final DeviceInfo device;
  private final CpuThreads threads;
  private final InnerLoops loops;
  private final Peak peak;
  private final CpuMemory memory;
  private final CpuDenseOps dense = new CpuDenseOps();
  private final Set<CpuStream> streams = ConcurrentHashMap.newKeySet();
  private volatile boolean closed;

  /// @param threads closed with this backend
  public CpuBackend(DeviceInfo device, CpuThreads threads, InnerLoops loops) {
    this.device = device;
    this.threads = threads;
    this.loops = loops;
    this.peak = new Peak(threads, loops);
    this.memory = new CpuMemory(device.memoryBytes());
  }

  /// The threads of this backend, for stages that bring their own kernels.
  public CpuThreads threads() {
    return threads;
  }

  /// The inner loops of this backend, for stages that bring their own kernels.
  public InnerLoops loops() {
    return loops;
  }

  @Override
  public String name() {
    return NAME;
  }

  @Override
  public DeviceInfo device() {
    return device;
  }

  @Override
  public Set<Capability> capabilities() {
    return EnumSet.of(
        Capability.HOST_VISIBLE_MEMORY, Capability.DETERMINISTIC, Capability.BF16_WEIGHTS);
  }

  @Override
  public CpuTensor allocate(DType type, Shape shape) {
    checkOpen();
    return memory.allocate(type, shape);
  }

  @Override
  public CpuStream newStream() {
    checkOpen();
    CpuStream stream = new CpuStream(threads, loops, streams::remove);
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
    return peak.flopsPerSecond();
  }

  @Override
  public double measureReadBandwidth() {
    checkOpen();
    return peak.readBytesPerSecond();
  }

  @Override
  public MemoryUse memory() {
    return memory.use();
  }

  @Override
  public List<Throwable> openAllocations() {
    return memory.places();
  }

  @Override
  public void close() {
    closed = true;
    streams.forEach(CpuStream::close);
    memory.closeAll();
    threads.close();
  }

  private void checkOpen() {
    if (closed) {
      throw new IllegalStateException("the CPU backend is closed");
    }
  }
}
