package moe.engine.bench;

import java.util.Optional;
import java.util.OptionalDouble;
import moe.engine.energy.Gauge;
import moe.spi.device.DeviceStream;

/// A path run for seconds without a pause: what a device does once it is warm, and its clock down
/// to what its power allows.
///
/// @param millis of a run, the mean
/// @param joules of a run, what the device takes at rest included; empty without a meter
public record Sustained(double millis, Optional<Double> joules) {
  private static final int BETWEEN_LOOKS = 10;

  static Sustained measure(
      Contest.Entrant entrant, DeviceStream stream, Gauge gauge, double seconds) {
    entrant.prepare(stream);
    runs(entrant, stream); // so that the clock is down already
    gauge.begin();
    long start = System.nanoTime();
    long runs = 0;
    long now;
    do {
      runs += runs(entrant, stream);
      now = System.nanoTime();
    } while (now - start < seconds * 1e9);
    OptionalDouble joules = gauge.end();
    return new Sustained(
        (now - start) / 1e6 / runs,
        joules.isPresent() ? Optional.of(joules.getAsDouble() / runs) : Optional.empty());
  }

  private static int runs(Contest.Entrant entrant, DeviceStream stream) {
    for (int i = 0; i < BETWEEN_LOOKS; i++) {
      entrant.run(stream);
    }
    stream.synchronize();
    return BETWEEN_LOOKS;
  }
}
