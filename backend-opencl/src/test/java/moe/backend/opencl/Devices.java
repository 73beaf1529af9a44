package moe.backend.opencl;

import java.util.EnumMap;
import java.util.Map;
import moe.backend.opencl.driver.DeviceSearch;
import moe.backend.opencl.driver.Driver;
import moe.backend.opencl.driver.FoundDevice;
import moe.backend.opencl.driver.NativeDriver;
import moe.spi.device.DeviceInfo;

/// The first OpenCL device of this machine, as what it is and as a GPU: any device runs both kinds
/// of kernels, so both are tested on a machine without a GPU.
///
/// Without OpenCL the tests fail: CI installs PoCL, so that they never pass by being skipped.
public enum Devices {
  PROCESSOR,
  GPU;

  /// Programs are built once for all tests of a JVM.
  private static final Map<Devices, OpenClBackend> OPEN = new EnumMap<>(Devices.class);

  /// A backend that all tests share, so that each kernel is built once.
  OpenClBackend shared() {
    synchronized (OPEN) {
      return OPEN.computeIfAbsent(this, Devices::open);
    }
  }

  /// A backend of its own.
  public OpenClBackend open() {
    return open(driver(), Long.MAX_VALUE);
  }

  /// A backend that may take so many bytes.
  public OpenClBackend open(Driver driver, long memoryBytes) {
    FoundDevice found = DeviceSearch.all(driver).devices().getFirst();
    FoundDevice device =
        new FoundDevice(
            found.handle(),
            this == GPU ? FoundDevice.Kind.GPU : FoundDevice.Kind.CPU,
            found.name(),
            Math.min(memoryBytes, found.memoryBytes()),
            found.maxAllocationBytes(),
            found.localBytes(),
            found.maxGroup(),
            found.computeUnits(),
            found.vectorFloats(),
            this == PROCESSOR && found.shared());
    return new OpenClBackend(
        new DeviceInfo(OpenClBackend.NAME, 0, device.name(), device.memoryBytes()), driver, device);
  }

  /// The driver of this machine.
  public static Driver driver() {
    Driver driver = NativeDriver.find();
    if (driver == null) {
      throw new IllegalStateException(
          "no OpenCL on this machine: install pocl-opencl-icd and ocl-icd-libopencl1");
    }
    return driver;
  }
}
