package moe.spi;

import java.util.Set;
import moe.spi.device.Backend;
import moe.spi.device.Compute;
import moe.spi.device.DeviceInfo;

/// Finds the devices of one kind and opens them.
public interface BackendFactory extends Factory {
  /// Looks for devices. Cheap, and never throws: what goes wrong becomes `Unavailable` with its
  /// reason.
  Availability probe();

  /// Whether a device is worth taking where the user leaves the choice open. Asked for by name, it
  /// is taken all the same. Cheap, and never throws.
  ///
  /// @param device one that `probe` found
  default Support recommends(DeviceInfo device) {
    return Support.YES;
  }

  /// Opens a device that `probe` found; the caller closes it.
  ///
  /// @throws moe.spi.error.MoeException kind `DEVICE` if the device refuses
  Backend open(DeviceInfo device);

  /// The formats in which a device that `probe` found can multiply, `AUTO` not among them.
  default Set<Compute> computes(DeviceInfo device) {
    return Set.of(Compute.F32);
  }

  /// Opens a device that multiplies in this format.
  ///
  /// @param compute `AUTO` or one of `computes(device)`
  /// @throws moe.spi.error.MoeException kind `DEVICE` if the device refuses
  default Backend open(DeviceInfo device, Compute compute) {
    return open(device);
  }
}
