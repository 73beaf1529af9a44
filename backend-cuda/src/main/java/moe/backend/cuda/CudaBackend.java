package moe.backend.cuda;

import java.util.EnumSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Function;
import moe.spi.device.Backend;
import moe.spi.device.Capability;
import moe.spi.device.Compute;
import moe.spi.device.DType;
import moe.spi.device.DenseOps;
import moe.spi.device.DeviceInfo;
import moe.spi.device.MemoryUse;
import moe.spi.device.Shape;
import moe.spi.error.ErrorKind;
import moe.spi.error.MoeException;
import org.jspecify.annotations.Nullable;

/// An NVIDIA GPU as a device.
public final class CudaBackend implements Backend {
  /// The name of the factory, and of this backend in `[backend] prefer`.
  public static final String NAME = "cuda";

  /// The system property that, set to true, has a GPU of compute capability 9.0 take the kernels
  /// for any since 8.0 where it has better ones: for tests of these.
  static final String PORTABLE = "moe.cuda.portable";

  private final DeviceInfo info;
  private final Arithmetic arithmetic;
  private final Device device;
  private final Driver.Handle fillStream;
  private final CudaMemory memory;
  private final CudaDenseOps dense;
  private final Products exactProducts;
  private final @Nullable HalfProducts halfProducts;
  private final Set<CudaStream> streams = ConcurrentHashMap.newKeySet();
  private volatile boolean closed;

  /// @param images the image of each name
  CudaBackend(
      DeviceInfo info, Driver driver, Function<String, byte[]> images, Arithmetic arithmetic) {
    this.info = info;
    this.arithmetic = arithmetic;
    this.device = new Device(driver, info.index(), images);
    this.fillStream = driver.newStream();
    this.memory = new CudaMemory(device, fillStream);
    boolean hopper = device.isHopper() && !Boolean.getBoolean(PORTABLE);
    this.halfProducts =
        switch (arithmetic) {
          case F32, TF32 -> null;
          case BF16 -> HalfProducts.of(device, new Halves(memory, DType.BF16), hopper);
          case F16 -> HalfProducts.of(device, new Halves(memory, DType.F16), hopper);
        };
    HalfDense half = halfProducts == null ? null : new HalfDense(halfProducts);
    RoundingForward rounding =
        switch (arithmetic) {
          case F32, BF16 -> null;
          case TF32 -> hopper ? new HopperTf32(device.multiprocessors()) : null;
          case F16 -> half;
        };
    this.dense =
        new CudaDenseOps(
            new Products(device.multiprocessors(), arithmetic, rounding), half, memory);
    this.exactProducts = new Products(device.multiprocessors(), Arithmetic.F32, null);
  }

  /// The matrix products of this backend, for stages that bring their own kernels.
  public Products products() {
    return dense.products();
  }

  /// Bytes of shared memory that a block may have.
  public int sharedBytes() {
    return device.sharedBytes();
  }

  /// The products in bf16 or binary16 of a backend that multiplies so.
  public Optional<HalfProducts> halfProducts() {
    return Optional.ofNullable(halfProducts);
  }

  /// Products in float32 whatever the others are, for routers: a rounded logit may choose another
  /// expert.
  public Products exactProducts() {
    return exactProducts;
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
    return EnumSet.of(Capability.ASYNC, Capability.DETERMINISTIC, Capability.BF16_WEIGHTS);
  }

  @Override
  public CudaTensor allocate(DType type, Shape shape) {
    checkOpen();
    if (type == DType.F16) {
      throw new MoeException(
          ErrorKind.UNSUPPORTED, "cuda: type F16 is not supported. Use F32, or BF16 for weights.");
    }
    return memory.allocate(type, shape);
  }

  @Override
  public CudaStream newStream() {
    checkOpen();
    CudaStream stream = new CudaStream(device, memory, streams::remove);
    streams.add(stream);
    return stream;
  }

  @Override
  public DenseOps dense() {
    return dense;
  }

  @Override
  public double measureFlops() {
    return Peak.flopsPerSecond(this, device.multiprocessors());
  }

  @Override
  public double measureReadBandwidth() {
    return Peak.readBytesPerSecond(this, device.multiprocessors());
  }

  @Override
  public Compute precision() {
    return switch (arithmetic) {
      case F32 -> Compute.F32;
      case TF32 -> Compute.TF32;
      case BF16 -> Compute.BF16;
      case F16 -> Compute.F16;
    };
  }

  @Override
  public MemoryUse memory() {
    checkOpen();
    return memory.use();
  }

  @Override
  public List<Throwable> openAllocations() {
    return memory.places();
  }

  @Override
  public Optional<Backend> rehearsal() {
    checkOpen();
    Driver driver = new RehearsalDriver(device.multiprocessors(), device.driver().memory());
    return Optional.of(new CudaBackend(info, driver, _ -> new byte[0], arithmetic));
  }

  @Override
  public void close() {
    if (closed) {
      return;
    }
    closed = true;
    streams.forEach(CudaStream::close);
    memory.closeAll();
    device.release("a stream", () -> device.driver().closeStream(fillStream));
    device.close();
  }

  private void checkOpen() {
    if (closed) {
      throw new IllegalStateException("the CUDA backend is closed");
    }
  }
}
