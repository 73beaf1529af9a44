package moe.backend.opencl;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Supplier;
import moe.backend.opencl.driver.DeviceSearch;
import moe.backend.opencl.driver.Driver;
import moe.backend.opencl.driver.DriverException;
import moe.backend.opencl.driver.FoundDevice;
import moe.backend.opencl.driver.NativeDriver;
import moe.spi.Availability;
import moe.spi.BackendFactory;
import moe.spi.SpiVersion;
import moe.spi.Support;
import moe.spi.device.Backend;
import moe.spi.device.DeviceInfo;
import moe.spi.error.ErrorKind;
import moe.spi.error.MoeException;
import org.jspecify.annotations.Nullable;

/// Offers the OpenCL devices of this machine. Kernels run on the device or not at all: there is no
/// fall back to threads of the JVM.
public final class OpenClBackendFactory implements BackendFactory {
  private static final String WHAT_TO_DO =
      "Install the driver of your GPU, or pocl-opencl-icd for the processor (Debian, Ubuntu)";

  private final Supplier<@Nullable Driver> drivers;

  /// Takes the driver of this machine.
  public OpenClBackendFactory() {
    this(NativeDriver::find);
  }

  OpenClBackendFactory(Supplier<@Nullable Driver> drivers) {
    this.drivers = drivers;
  }

  @Override
  public String name() {
    return OpenClBackend.NAME;
  }

  @Override
  public int spiVersion() {
    return SpiVersion.CURRENT;
  }

  @Override
  public Availability probe() {
    try {
      Driver driver = drivers.get();
      if (driver == null) {
        return new Availability.Unavailable(
            "no OpenCL library (%s) on this machine. %s."
                .formatted(NativeDriver.libraryNames(), WHAT_TO_DO),
            null);
      }
      DeviceSearch.Result result = DeviceSearch.all(driver);
      return result.devices().isEmpty()
          ? new Availability.Unavailable(none(result), null)
          : new Availability.Available(infos(result.devices()));
    } catch (DriverException | LinkageError e) {
      return new Availability.Unavailable("the OpenCL library fails: " + e.getMessage(), e);
    }
  }

  /// A processor is better served by a backend of its own: this one takes twice as long for a
  /// token.
  @Override
  public Support recommends(DeviceInfo device) {
    return kindOf(device) == FoundDevice.Kind.CPU
        ? new Support.No(
            "%s is a processor, which the backend cpu uses better; --backend opencl takes it all the same"
                .formatted(device.name()))
        : Support.YES;
  }

  @Override
  public Backend open(DeviceInfo device) {
    Driver driver = drivers.get();
    List<FoundDevice> devices;
    try {
      devices = found(driver);
    } catch (DriverException e) {
      throw new MoeException(ErrorKind.DEVICE, "opencl: " + e.getMessage(), e);
    }
    if (driver == null || device.index() >= devices.size()) {
      throw new MoeException(
          ErrorKind.DEVICE,
          "opencl: device %d (%s) is gone; there are %d now. Look at `moe-engine backends`."
              .formatted(device.index(), device.name(), devices.size()));
    }
    return new OpenClBackend(device, driver, devices.get(device.index()));
  }

  // Null if it is gone: `open` says why.
  private FoundDevice.@Nullable Kind kindOf(DeviceInfo device) {
    try {
      List<FoundDevice> devices = found(drivers.get());
      return device.index() < devices.size() ? devices.get(device.index()).kind() : null;
    } catch (DriverException gone) {
      return null;
    }
  }

  private static List<FoundDevice> found(@Nullable Driver driver) {
    return driver == null ? List.of() : DeviceSearch.all(driver).devices();
  }

  private static String none(DeviceSearch.Result result) {
    return result.refusals().isEmpty()
        ? "the OpenCL library is here, but no platform. %s.".formatted(WHAT_TO_DO)
        : "no OpenCL device can be used: %s. %s."
            .formatted(String.join("; ", result.refusals()), WHAT_TO_DO);
  }

  private static List<DeviceInfo> infos(List<FoundDevice> devices) {
    List<DeviceInfo> infos = new ArrayList<>();
    for (FoundDevice device : devices) {
      infos.add(
          new DeviceInfo(OpenClBackend.NAME, infos.size(), device.name(), device.memoryBytes()));
    }
    return infos;
  }
}
