package moe.engine.energy;

import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.Deque;
import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.function.Consumer;
import java.util.function.LongSupplier;
import moe.engine.metrics.EnergyFit;
import moe.engine.metrics.EnergySummary;
import moe.engine.metrics.EnergyWindow;
import moe.engine.metrics.StepMetrics;
import moe.spi.stage.EnergyPrices;
import moe.spi.stage.LayerSpec;
import org.jspecify.annotations.Nullable;

/// Watches a meter over the steps of a run.
///
/// A window is some steps, at least as long as asked and as some refreshes of the counter. One in
/// which much else was done (a look at the held-out text, a checkpoint) does not count. For one
/// thread.
public final class EnergyWatch implements AutoCloseable {
  private static final int REFRESHES = 5; // so that the counter's grain is at most a fifth
  private static final double OTHER_WORK = 0.1; // of a window's time
  private static final int RECENT = 200; // windows that the model is fitted to
  private static final int ENOUGH = 10; // windows before routers hear of prices

  private final EnergyMeters.Found found;
  private final @Nullable MeterReading reading;
  private final LayerSpec spec;
  private final double leastSeconds;
  private final LongSupplier nanos;
  private final Deque<StepModel.Sample> recent = new ArrayDeque<>();
  private final WindowTotals totals = new WindowTotals();
  private OptionalDouble idle = OptionalDouble.empty();
  private OptionalDouble watts = OptionalDouble.empty();
  private Optional<StepModel> model = Optional.empty();
  private OptionalDouble begin = OptionalDouble.empty(); // the counter at the window's start
  private long beginNanos;
  private double stepSeconds;
  private int steps;
  private long tokens;
  private StepWork work = new StepWork(0, 0);

  /// @param window at least this long, in seconds
  /// @param nanos the time, as `System.nanoTime` gives it
  public EnergyWatch(
      EnergyMeters.Found found,
      LayerSpec spec,
      double window,
      Consumer<String> warnings,
      LongSupplier nanos) {
    this.found = found;
    this.spec = spec;
    this.nanos = nanos;
    switch (found) {
      case EnergyMeters.Open(var meter) -> {
        reading = new MeterReading(meter, false, warnings);
        leastSeconds = Math.max(window, REFRESHES * meter.refresh().toNanos() / 1e9);
      }
      case EnergyMeters.Estimated(var meter) -> {
        reading = new MeterReading(meter, true, warnings);
        leastSeconds = 0;
      }
      case EnergyMeters.Missing(var _) -> {
        reading = null;
        leastSeconds = 0;
      }
    }
  }

  /// Measures the power while nothing is done.
  ///
  /// @param rest waits for a while
  public void measureIdle(Runnable rest) {
    if (found instanceof EnergyMeters.Open(var meter) && reading != null) {
      OptionalDouble before = reading.now();
      long from = nanos.getAsLong();
      rest.run();
      OptionalDouble after = reading.now();
      double seconds = (nanos.getAsLong() - from) / 1e9;
      boolean moves = seconds >= meter.refresh().toNanos() / 1e9; // long enough for the counter
      if (before.isPresent() && after.isPresent() && moves) {
        OptionalDouble joules = reading.between(before.getAsDouble(), after.getAsDouble());
        idle = joules.isPresent() ? over(joules, seconds) : OptionalDouble.empty();
      }
    }
  }

  private static OptionalDouble over(OptionalDouble joules, double seconds) {
    return OptionalDouble.of(joules.getAsDouble() / seconds);
  }

  /// A new window begins now, whatever was in the last.
  public void begin() {
    begin = reading == null ? OptionalDouble.empty() : reading.now();
    beginNanos = nanos.getAsLong();
    stepSeconds = 0;
    steps = 0;
    tokens = 0;
    work = new StepWork(0, 0);
  }

  /// A step is over; gives the window that ends with it, if one does.
  public Optional<EnergyWindow> step(StepMetrics step) {
    if (reading == null) {
      return Optional.empty();
    }
    StepWork done = StepWork.of(step, spec);
    if (found instanceof EnergyMeters.Estimated(var meter)) {
      meter.add(done);
    }
    work = work.plus(done);
    steps++;
    tokens += step.times().tokens();
    stepSeconds += step.times().totalMillis() / 1e3;
    double seconds = (nanos.getAsLong() - beginNanos) / 1e9;
    if (seconds < leastSeconds || begin.isEmpty()) {
      return Optional.empty();
    }
    OptionalDouble end = reading.now();
    Optional<EnergyWindow> window = Optional.empty();
    if (end.isPresent() && stepSeconds >= (1 - OTHER_WORK) * seconds) {
      OptionalDouble joules = reading.between(begin.getAsDouble(), end.getAsDouble());
      if (joules.isPresent()) {
        window = Optional.of(count(step, seconds, joules.getAsDouble()));
      }
    }
    watts = end.isEmpty() ? OptionalDouble.empty() : watts;
    begin();
    return window;
  }

  private EnergyWindow count(StepMetrics step, double seconds, double joules) {
    recent.addLast(new StepModel.Sample(seconds, work, joules));
    if (recent.size() > RECENT) {
      recent.removeFirst();
    }
    model = StepModel.fit(List.copyOf(recent));
    Optional<EnergyFit> fit = fit();
    EnergyWindow window =
        new EnergyWindow(step.step(), steps, seconds, joules, tokens, fit, costs(step));
    totals.add(window);
    watts = OptionalDouble.of(window.watts());
    return window;
  }

  private List<Double> costs(StepMetrics step) {
    return prices()
        .map(prices ->
            StepWork.relativeCosts(step, spec, prices.joulesPerByte(), prices.joulesPerFlop()))
        .map(costs -> Arrays.stream(costs).boxed().toList())
        .orElse(List.of());
  }

  private Optional<EnergyFit> fit() {
    return model.map(fitted ->
        new EnergyFit(
            fitted.idleWatts(),
            fitted.joulesPerByte(),
            fitted.joulesPerFlop(),
            fitted.rSquared(),
            fitted.windows()));
  }

  /// a and b, once enough windows tell them; never from an estimate, which knows them already.
  public Optional<EnergyPrices> prices() {
    return model
        .filter(fitted -> fitted.windows() >= ENOUGH && found instanceof EnergyMeters.Open)
        .filter(fitted -> fitted.joulesPerByte() + fitted.joulesPerFlop() > 0)
        .map(fitted -> new EnergyPrices(fitted.joulesPerByte(), fitted.joulesPerFlop()));
  }

  /// Mean power of the last window that counts.
  public OptionalDouble watts() {
    return watts;
  }

  /// Power while nothing is done, if it was measured.
  public OptionalDouble idleWatts() {
    return idle;
  }

  /// What all windows say; empty without any.
  public Optional<EnergySummary> summary() {
    return switch (found) {
      case EnergyMeters.Open(var meter) -> totals.summary(meter.method(), false, idle, fit());
      case EnergyMeters.Estimated(var meter) ->
          totals.summary(meter.method(), true, idle, Optional.empty());
      case EnergyMeters.Missing(var _) -> Optional.empty();
    };
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
