package moe.engine.bench;

import moe.spi.device.Backend;

/// Measures what the device can do, again and again between the runs that it is compared with.
final class PeakMeter implements Contest.Yardstick {
  private final Backend backend;
  private final double readBytesPerSecond;

  PeakMeter(Backend backend) {
    this.backend = backend;
    this.readBytesPerSecond = backend.measureReadBandwidth();
  }

  @Override
  public double flopsPerSecond() {
    return backend.measureFlops();
  }

  /// Measured once, before the runs: reading memory would empty the caches between them.
  double readBytesPerSecond() {
    return readBytesPerSecond;
  }
}
