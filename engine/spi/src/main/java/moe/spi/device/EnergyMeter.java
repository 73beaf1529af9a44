package moe.spi.device;

import java.time.Duration;

/// A counter of the energy that a device uses. For one thread.
public interface EnergyMeter extends AutoCloseable {
  /// What is counted, in words for a report: `NVML total energy counter, NVIDIA H200`.
  String method();

  /// How often the counter moves; windows shorter than some of these say nothing.
  Duration refresh();

  /// Joules since the meter was opened. A counter that wraps around is unwrapped here.
  ///
  /// @throws moe.spi.error.MoeException kind `DEVICE` if the counter cannot be read any more
  double joules();

  @Override
  void close();
}
