package moe.engine.energy;

import java.util.OptionalDouble;
import java.util.function.Consumer;
import moe.spi.device.EnergyMeter;
import moe.spi.error.MoeException;

/// Reads a counter and believes it only while it behaves: one that cannot be read, runs backwards
/// or stands still is warned about once and gives no value, never 0.
final class MeterReading {
  private final EnergyMeter meter;
  private final boolean maySleep; // whether it may stand still
  private final Consumer<String> warnings;
  private boolean dead;
  private boolean stalled;

  MeterReading(EnergyMeter meter, boolean maySleep, Consumer<String> warnings) {
    this.meter = meter;
    this.maySleep = maySleep;
    this.warnings = warnings;
  }

  /// The counter now; empty once it died.
  OptionalDouble now() {
    if (dead) {
      return OptionalDouble.empty();
    }
    try {
      double joules = meter.joules();
      if (Double.isFinite(joules)) {
        return OptionalDouble.of(joules);
      }
      die("its counter is " + joules);
    } catch (MoeException failed) {
      die(failed.getMessage());
    }
    return OptionalDouble.empty();
  }

  private void die(String why) {
    dead = true;
    warnings.accept(
        "energy meter %s: %s; from here on no energy is recorded".formatted(meter.method(), why));
  }

  /// What passed between two readings of a window that is long enough to see a movement.
  OptionalDouble between(double before, double after) {
    if (after < before) {
      warnings.accept(
          "energy meter %s: the counter went back by %.3f J, so it was reset; this window has no value"
              .formatted(meter.method(), before - after));
      return OptionalDouble.empty();
    }
    if (after == before && !maySleep) {
      if (!stalled) {
        warnings.accept(
            "energy meter %s: the counter stands still; windows without a movement have no value"
                .formatted(meter.method()));
      }
      stalled = true;
      return OptionalDouble.empty();
    }
    return OptionalDouble.of(after - before);
  }
}
