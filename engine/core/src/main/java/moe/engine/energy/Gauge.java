package moe.engine.energy;

import java.util.OptionalDouble;
import java.util.function.Consumer;
import java.util.function.LongSupplier;
import moe.engine.metrics.StepMetrics;
import moe.spi.stage.LayerSpec;
import org.jspecify.annotations.Nullable;

/// Measures the energy of single stretches of work, each long enough for the counter.
public final class Gauge implements AutoCloseable {
  private final EnergyMeters.Found found;
  private final @Nullable MeterReading reading;
  private final LongSupplier nanos;
  private OptionalDouble begin = OptionalDouble.empty();

  /// @param nanos the time, as `System.nanoTime` gives it
  public Gauge(EnergyMeters.Found found, Consumer<String> warnings, LongSupplier nanos) {
    this.found = found;
    this.nanos = nanos;
    this.reading =
        switch (found) {
          case EnergyMeters.Open(var meter) -> new MeterReading(meter, false, warnings);
          case EnergyMeters.Estimated(var meter) -> new MeterReading(meter, true, warnings);
          case EnergyMeters.Missing(var _) -> null;
        };
  }

  /// How energy is known, or why it is not.
  public String method() {
    return switch (found) {
      case EnergyMeters.Open(var meter) -> meter.method();
      case EnergyMeters.Estimated(var meter) -> meter.method();
      case EnergyMeters.Missing(String reason) -> "no energy meter: " + reason;
    };
  }

  /// The power while nothing is done; empty where that is not measured.
  ///
  /// @param rest waits for a while
  public OptionalDouble idleWatts(Runnable rest) {
    if (!(found instanceof EnergyMeters.Open(var meter))) {
      return OptionalDouble.empty();
    }
    long from = nanos.getAsLong();
    begin();
    rest.run();
    double seconds = (nanos.getAsLong() - from) / 1e9;
    if (seconds < meter.refresh().toNanos() / 1e9) {
      return OptionalDouble.empty(); // too short for the counter to move
    }
    OptionalDouble joules = end();
    return joules.isPresent()
        ? OptionalDouble.of(joules.getAsDouble() / seconds)
        : OptionalDouble.empty();
  }

  /// A stretch begins.
  public void begin() {
    begin = reading == null ? OptionalDouble.empty() : reading.now();
  }

  /// A step of the stretch, for an estimate.
  public void add(StepMetrics step, LayerSpec spec) {
    if (found instanceof EnergyMeters.Estimated(var meter)) {
      meter.add(StepWork.of(step, spec));
    }
  }

  /// Joules since `begin`; empty where they are not known.
  public OptionalDouble end() {
    if (reading == null || begin.isEmpty()) {
      return OptionalDouble.empty();
    }
    OptionalDouble now = reading.now();
    return now.isEmpty() ? now : reading.between(begin.getAsDouble(), now.getAsDouble());
  }

  @Override
  public void close() {
    switch (found) {
      case EnergyMeters.Open(var meter) -> meter.close();
      case EnergyMeters.Estimated(var meter) -> meter.close();
      case EnergyMeters.Missing(var _) -> {}
    }
  }
}
