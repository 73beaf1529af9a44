package moe.spi;

import moe.spi.device.DeviceInfo;
import moe.spi.device.EnergyMeter;

/// Finds the counter of the energy that a device uses, chosen by `[energy] meter`.
public interface EnergyMeterFactory extends Factory {
  /// Whether there is such a counter for this device: cheap, and never throws.
  Support supports(DeviceInfo device);

  /// Opens the counter; the caller closes it.
  ///
  /// @throws moe.spi.error.MoeException kind `DEVICE` if it refuses
  EnergyMeter open(DeviceInfo device);
}
