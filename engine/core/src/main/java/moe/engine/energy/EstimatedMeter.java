package moe.engine.energy;

import java.time.Duration;
import java.util.Locale;
import moe.spi.device.Backend;
import moe.spi.device.EnergyMeter;

/// No meter, but a roofline: the time that the experts' work would take at the device's speeds,
/// times an assumed power. It knows nothing of what the device really does.
public final class EstimatedMeter implements EnergyMeter {
  /// What `energy.meter` calls it.
  public static final String NAME = "estimated";

  private final double watts;
  private final double bytesPerSecond;
  private final double flopsPerSecond;
  private double joules;

  EstimatedMeter(double watts, double bytesPerSecond, double flopsPerSecond) {
    this.watts = watts;
    this.bytesPerSecond = bytesPerSecond;
    this.flopsPerSecond = flopsPerSecond;
  }

  static EstimatedMeter of(Backend backend, double watts) {
    return new EstimatedMeter(watts, backend.measureReadBandwidth(), backend.measureFlops());
  }

  /// Another by the same measurement of the device, at this power, from 0.
  public EstimatedMeter from(double otherWatts) {
    return new EstimatedMeter(otherWatts, bytesPerSecond, flopsPerSecond);
  }

  /// Counts a step.
  public void add(StepWork work) {
    joules += watts * Math.max(work.bytes() / bytesPerSecond, work.flops() / flopsPerSecond);
  }

  @Override
  public String method() {
    return String.format(
        Locale.ROOT,
        "estimated, not measured: roofline of the experts at an assumed %.0f W, %.1f GB/s, %.1f"
            + " GFLOP/s",
        watts,
        bytesPerSecond / 1e9,
        flopsPerSecond / 1e9);
  }

  @Override
  public Duration refresh() {
    return Duration.ZERO;
  }

  @Override
  public double joules() {
    return joules;
  }

  @Override
  public void close() {}
}
