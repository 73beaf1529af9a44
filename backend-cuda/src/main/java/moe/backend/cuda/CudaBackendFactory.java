package moe.backend.cuda;

import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import java.util.function.Supplier;
import moe.spi.Availability;
import moe.spi.BackendFactory;
import moe.spi.SpiVersion;
import moe.spi.device.Backend;
import moe.spi.device.Compute;
import moe.spi.device.DeviceInfo;
import moe.spi.error.ErrorKind;
import moe.spi.error.MoeException;

/// Offers the NVIDIA GPUs of this machine. They multiply in `f32` by default, and in `tf32`, `bf16`
/// and `f16` on tensor cores.
public final class CudaBackendFactory implements BackendFactory {
  private static final int OLDEST_CUDA = 13000;
  private static final int OLDEST_CAPABILITY = 80;
  private static final String NEEDED =
      "needed: an NVIDIA GPU of compute capability 8.0 or newer and its driver 580 (CUDA 13.0) or"
          + " newer";

  private final Supplier<Driver> drivers;

  public CudaBackendFactory() {
    this(CudaBackendFactory::installed);
  }

  CudaBackendFactory(Supplier<Driver> drivers) {
    this.drivers = drivers;
  }

  @Override
  public String name() {
    return CudaBackend.NAME;
  }

  @Override
  public int spiVersion() {
    return SpiVersion.CURRENT;
  }

  @Override
  public Availability probe() {
    try {
      return probe(drivers.get());
    } catch (MoeException e) {
      return new Availability.Unavailable(e.getMessage(), e);
    } catch (LinkageError e) {
      // JCuda's native library does not load, or the driver lacks a function.
      return new Availability.Unavailable("%s; %s".formatted(reason(e), NEEDED), e);
    }
  }

  private static Availability probe(Driver driver) {
    int version = driver.version();
    if (version < OLDEST_CUDA) {
      return no("the driver supports CUDA %s; %s".formatted(cuda(version), NEEDED));
    }
    int count = driver.deviceCount();
    if (count == 0) {
      return no("the driver, CUDA %s, sees no GPU; %s".formatted(cuda(version), NEEDED));
    }
    if (KernelImages.manifest().isEmpty()) {
      return no("this build has no kernel images; run backend-cuda/build-images with CUDA 13");
    }
    List<DeviceInfo> devices = new ArrayList<>();
    List<String> old = new ArrayList<>();
    for (int index = 0; index < count; index++) {
      int major = driver.attribute(DeviceAttribute.CAPABILITY_MAJOR, index);
      int minor = driver.attribute(DeviceAttribute.CAPABILITY_MINOR, index);
      String name =
          "%s, compute capability %d.%d, driver for CUDA %s"
              .formatted(driver.deviceName(index), major, minor, cuda(version));
      if (10 * major + minor >= OLDEST_CAPABILITY) {
        devices.add(new DeviceInfo(CudaBackend.NAME, index, name, driver.memoryBytes(index)));
      } else {
        old.add(name);
      }
    }
    return devices.isEmpty()
        ? no("found %s; %s".formatted(String.join("; ", old), NEEDED))
        : new Availability.Available(devices);
  }

  @Override
  public Backend open(DeviceInfo device) {
    return open(device, Compute.AUTO);
  }

  @Override
  public Set<Compute> computes(DeviceInfo device) {
    return EnumSet.of(Compute.F32, Compute.TF32, Compute.BF16, Compute.F16);
  }

  @Override
  public Backend open(DeviceInfo device, Compute compute) {
    return new CudaBackend(device, drivers.get(), KernelImages::load, arithmetic(compute));
  }

  static Arithmetic arithmetic(Compute compute) {
    return switch (compute) {
      case AUTO, F32 -> Arithmetic.F32;
      case TF32 -> Arithmetic.TF32;
      case BF16 -> Arithmetic.BF16;
      case F16 -> Arithmetic.F16;
    };
  }

  private static Driver installed() {
    NativeCalls.missing()
        .ifPresent(reason -> {
          throw new MoeException(ErrorKind.DEVICE, "no driver: %s; %s".formatted(reason, NEEDED));
        });
    return new JCudaDriver();
  }

  private static Availability no(String reason) {
    return new Availability.Unavailable(reason, null);
  }

  /// 13010 reads 13.1.
  private static String cuda(int version) {
    return "%d.%d".formatted(version / 1000, version % 1000 / 10);
  }

  private static String reason(LinkageError e) {
    String message = e.getMessage();
    Throwable cause = e.getCause();
    if (message == null && cause != null) {
      message = cause.getMessage();
    }
    String line =
        message == null ? e.getClass().getSimpleName() : message.lines().findFirst().orElse("");
    return "the CUDA driver cannot be called: " + line;
  }
}
