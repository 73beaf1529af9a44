package moe.backend.opencl.kernel;

import moe.backend.opencl.driver.DriverException;
import moe.backend.opencl.driver.Status;
import moe.spi.error.ErrorKind;
import moe.spi.error.MoeException;

/// What the user reads when a driver's function fails.
final class Failures {
  private Failures() {}

  /// An error while work was queued or waited for.
  ///
  /// @param device the device's name
  static MoeException of(String device, DriverException e) {
    return switch (e.status()) {
      case Status.ALLOCATION_FAILURE, Status.OUT_OF_HOST_MEMORY ->
          new MoeException(
              ErrorKind.MEMORY,
              "opencl: %s ran out of memory (%s). Make the model or the batch smaller."
                  .formatted(device, said(e)),
              e);
      case Status.OUT_OF_RESOURCES,
          Status.INVALID_COMMAND_QUEUE,
          Status.DEVICE_NOT_AVAILABLE,
          Status.INVALID_DEVICE ->
          new MoeException(
              ErrorKind.DEVICE,
              "opencl: %s is lost or out of resources (%s). Start again; if that does not help, choose another with backend.device."
                  .formatted(device, said(e)),
              e);
      default ->
          new MoeException(
              ErrorKind.DEVICE,
              "opencl: %s failed (%s). Try another device with backend.device, or another backend."
                  .formatted(device, said(e)),
              e);
    };
  }

  /// A kernel that the driver cannot compile; the cause holds the build log.
  ///
  /// @param file the kernel's file or class
  static MoeException build(String device, String file, DriverException e) {
    return new MoeException(
        ErrorKind.DEVICE,
        "opencl: the driver of %s cannot build kernel %s (%s). Update the driver, or choose another device or backend; --stacktrace shows the build log."
            .formatted(device, file, said(e)),
        e);
  }

  private static String said(DriverException e) {
    return "%s: %s".formatted(e.function(), Status.name(e.status()));
  }
}
