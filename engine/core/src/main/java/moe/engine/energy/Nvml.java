package moe.engine.energy;

/// The few functions of NVIDIA's management library that a meter needs.
interface Nvml {
  /// Opens the library for a device.
  ///
  /// @param device its index, or its UUID
  /// @return a handle
  /// @throws moe.spi.error.MoeException kind `DEVICE` with the library's code
  long device(String device);

  /// Millijoules since the driver was loaded.
  ///
  /// @throws moe.spi.error.MoeException kind `DEVICE` with the library's code
  long millijoules(long device);
}
