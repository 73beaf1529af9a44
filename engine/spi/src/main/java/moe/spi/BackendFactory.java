package moe.spi;

import moe.spi.device.Backend;
import moe.spi.device.DeviceInfo;

/// Finds the devices of one kind and opens them.
public interface BackendFactory extends Factory {
  /// Looks for devices. Cheap, and never throws: what goes wrong becomes `Unavailable` with its
  /// reason.
  Availability probe();

  /// Opens a device that `probe` found; the caller closes it.
  ///
  /// @throws moe.spi.error.MoeException kind `DEVICE` if the device refuses
  Backend open(DeviceInfo device);
}
