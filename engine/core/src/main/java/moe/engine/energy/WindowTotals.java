package moe.engine.energy;

import java.util.Optional;
import java.util.OptionalDouble;
import moe.engine.metrics.EnergyFit;
import moe.engine.metrics.EnergySummary;
import moe.engine.metrics.EnergyWindow;

/// Sums over the windows of a run.
final class WindowTotals {
  private int windows;
  private double joules;
  private double seconds;
  private long tokens;
  private double peak;
  private double mean; // of joules per token; Welford's running form
  private double squares;

  void add(EnergyWindow window) {
    windows++;
    joules += window.joules();
    seconds += window.seconds();
    tokens += window.tokens();
    peak = Math.max(peak, window.watts());
    double away = window.joulesPerToken() - mean;
    mean += away / windows;
    squares += away * (window.joulesPerToken() - mean);
  }

  Optional<EnergySummary> summary(
      String method, boolean estimated, OptionalDouble idle, Optional<EnergyFit> fit) {
    if (windows == 0) {
      return Optional.empty();
    }
    return Optional.of(
        new EnergySummary(
            method,
            estimated,
            windows,
            idle,
            joules / seconds,
            peak,
            mean,
            windows < 2
                ? OptionalDouble.empty()
                : OptionalDouble.of(Math.sqrt(squares / (windows - 1))),
            seconds / tokens,
            fit));
  }
}
