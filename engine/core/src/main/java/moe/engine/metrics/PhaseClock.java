package moe.engine.metrics;

import java.util.EnumMap;
import java.util.Map;
import java.util.Objects;
import java.util.function.LongSupplier;

/// Splits the time of a step into phases: `start`, then `lap` at the end of each phase.
///
/// Laps of one phase add up, over layers and over forward and backward. Laps outside of a step do
/// nothing. Not for several threads. `start` and `lap` allocate nothing.
public final class PhaseClock {
  /// Where reading the time waits for the device, one step in so many is split.
  private static final int SAMPLED = 16;

  private final LongSupplier nanoTime;
  private final int every;
  private final Map<Phase, Lap> laps = new EnumMap<>(Phase.class);
  private final Lap[] all;
  private int steps;
  private boolean running;
  private long begin;
  private long last;

  private static final class Lap {
    private long nanos;
    private boolean timed;
  }

  /// A clock on the host's time.
  public PhaseClock() {
    this(System::nanoTime);
  }

  /// A clock on another time.
  ///
  /// @param nanoTime monotonic nanoseconds
  public PhaseClock(LongSupplier nanoTime) {
    this(nanoTime, 1);
  }

  private PhaseClock(LongSupplier nanoTime, int every) {
    this.nanoTime = nanoTime;
    this.every = every;
    for (Phase phase : Phase.values()) {
      laps.put(phase, new Lap());
    }
    all = laps.values().toArray(Lap[]::new);
  }

  /// A clock that splits the first step and each 16th after it, so that the others run on without
  /// waiting at the end of each phase.
  ///
  /// @param nanoTime monotonic nanoseconds, for example `stream::timeNanos`
  public static PhaseClock sampling(LongSupplier nanoTime) {
    return new PhaseClock(nanoTime, SAMPLED);
  }

  /// Forgets all laps; a step begins now.
  public void start() {
    for (Lap lap : all) {
      lap.nanos = 0;
      lap.timed = false;
    }
    running = steps++ % every == 0;
    begin = nanoTime.getAsLong();
    last = begin;
  }

  /// Whether the step that runs now is split into phases.
  public boolean splits() {
    return running;
  }

  /// The time since the last lap, or since the start, belongs to `phase`.
  public void lap(Phase phase) {
    if (!running) {
      return;
    }
    long now = nanoTime.getAsLong();
    Lap lap = Objects.requireNonNull(laps.get(phase)); // each phase has one
    lap.nanos += now - last;
    lap.timed = true;
    last = now;
  }

  /// The time since the last lap belongs to no phase.
  public void skip() {
    if (running) {
      last = nanoTime.getAsLong();
    }
  }

  /// The times of the step that ends now.
  ///
  /// @param tokens input tokens of the step
  public StepTimes stop(long tokens) {
    long now = nanoTime.getAsLong();
    running = false;
    Map<Phase, Double> millis = new EnumMap<>(Phase.class);
    laps.forEach((phase, lap) -> {
      if (lap.timed) {
        millis.put(phase, lap.nanos / 1e6);
      }
    });
    return new StepTimes(tokens, (now - begin) / 1e6, millis);
  }
}
