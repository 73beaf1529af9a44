package moe.engine.bench;

import java.util.ArrayList;
import java.util.List;
import moe.spi.device.Backend;
import moe.spi.device.DevicePeak;

/// Measures the device's peak again and again between the runs, because a shared machine changes
/// its speed.
final class PeakMeter {
  private final Backend backend;
  private final List<DevicePeak> seen = new ArrayList<>();

  PeakMeter(Backend backend) {
    this.backend = backend;
  }

  void measure() {
    seen.add(backend.measurePeak());
  }

  /// The medians of what was measured.
  BenchRow.Peak median() {
    return new BenchRow.Peak(
        median(seen.stream().mapToDouble(DevicePeak::flopsPerSecond).sorted().toArray()),
        median(seen.stream().mapToDouble(DevicePeak::readBytesPerSecond).sorted().toArray()));
  }

  private static double median(double[] sorted) {
    return sorted[sorted.length / 2];
  }
}
