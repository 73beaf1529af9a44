package moe.backend.opencl.driver;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import moe.backend.opencl.driver.FoundDevice.Kind;

/// Looks through all platforms for devices that can run our kernels.
public final class DeviceSearch {
  /// What `tiles.cl` takes.
  private static final int LEAST_GROUP = 256;

  private static final int LEAST_LOCAL_BYTES = 16 * 1024;

  private final Driver driver;
  private final List<FoundDevice> devices = new ArrayList<>();
  private final List<String> refusals = new ArrayList<>();

  private DeviceSearch(Driver driver) {
    this.driver = driver;
  }

  /// What a search found.
  ///
  /// @param devices GPUs first, processors last, else in the driver's order
  /// @param refusals one line for each platform or device that is of no use, and why
  public record Result(List<FoundDevice> devices, List<String> refusals) {
    public Result {
      devices = List.copyOf(devices);
      refusals = List.copyOf(refusals);
    }
  }

  /// Searches.
  ///
  /// @throws DriverException if not even the platforms can be listed
  public static Result all(Driver driver) {
    var search = new DeviceSearch(driver);
    for (long platform : platforms(driver)) {
      search.platform(platform);
    }
    search.devices.sort(Comparator.comparing(FoundDevice::kind));
    return new Result(search.devices, search.refusals);
  }

  private static long[] platforms(Driver driver) {
    try {
      return driver.platforms();
    } catch (DriverException e) {
      if (e.status() == Status.PLATFORM_NOT_FOUND) {
        return new long[0];
      }
      throw e;
    }
  }

  private void platform(long platform) {
    String name = "a platform";
    try {
      name = driver.platformText(platform, Parameter.PLATFORM_NAME);
      long[] handles = driver.devices(platform);
      if (handles.length == 0) {
        refusals.add(name + " has no device");
      }
      for (long handle : handles) {
        device(name, handle);
      }
    } catch (DriverException e) {
      refusals.add("%s: %s".formatted(name, e.getMessage()));
    }
  }

  private void device(String platform, long handle) {
    String name = "a device of " + platform;
    try {
      name = driver.deviceText(handle, Parameter.DEVICE_NAME);
      FoundDevice found = facts(platform, name, handle);
      if (number(handle, Parameter.AVAILABLE) == 0) {
        refusals.add(name + " is not available");
      } else if (number(handle, Parameter.COMPILER_AVAILABLE) == 0) {
        refusals.add(name + " has no compiler");
      } else if (number(handle, Parameter.ENDIAN_LITTLE) == 0) {
        refusals.add(name + " is not little-endian");
      } else if (found.kind() != Kind.CPU
          && (found.maxGroup() < LEAST_GROUP || found.localBytes() < LEAST_LOCAL_BYTES)) {
        refusals.add(
            "%s has work-groups of at most %,d work-items with %,d bytes; needed: %,d with %,d"
                .formatted(
                    name, found.maxGroup(), found.localBytes(), LEAST_GROUP, LEAST_LOCAL_BYTES));
      } else {
        devices.add(found);
      }
    } catch (DriverException e) {
      refusals.add("%s: %s".formatted(name, e.getMessage()));
    }
  }

  private FoundDevice facts(String platform, String name, long handle) {
    String versions =
        "%s, driver %s, %s"
            .formatted(
                platform,
                driver.deviceText(handle, Parameter.DRIVER_VERSION),
                // "OpenCL 3.0 CUDA": what follows the number repeats the platform
                driver
                    .deviceText(handle, Parameter.DEVICE_VERSION)
                    .replaceFirst("^(OpenCL [0-9.]+).*", "$1"));
    return new FoundDevice(
        handle,
        kind(number(handle, Parameter.DEVICE_TYPE)),
        "%s (%s)".formatted(name, versions),
        number(handle, Parameter.GLOBAL_MEMORY),
        number(handle, Parameter.MAX_ALLOCATION),
        number(handle, Parameter.LOCAL_MEMORY),
        (int) number(handle, Parameter.MAX_WORK_GROUP_SIZE),
        (int) number(handle, Parameter.MAX_COMPUTE_UNITS),
        Math.max(1, (int) number(handle, Parameter.NATIVE_VECTOR_FLOAT)),
        sharesMemory(handle));
  }

  /// OpenCL below 2 knows no shared memory, and refuses the question.
  private boolean sharesMemory(long handle) {
    try {
      return (number(handle, Parameter.SHARED_MEMORY) & Parameter.FINE_GRAIN_BUFFER) != 0;
    } catch (DriverException e) {
      return false;
    }
  }

  private long number(long handle, int parameter) {
    return driver.deviceNumber(handle, parameter);
  }

  private static Kind kind(long type) {
    if ((type & Parameter.TYPE_GPU) != 0) {
      return Kind.GPU;
    }
    return (type & Parameter.TYPE_CPU) != 0 ? Kind.CPU : Kind.OTHER;
  }
}
