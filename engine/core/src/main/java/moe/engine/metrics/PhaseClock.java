package moe.engine.metrics;

import java.util.EnumMap;
import java.util.Map;
import java.util.Objects;
import java.util.function.LongSupplier;

/// Splits the time of a step into phases: `start`, then `lap` at the end of each phase, then
/// `stop`.
///
/// A step that is not split may start before the one before it has stopped: its time counts from
/// that stop, so the times of steps never overlap. Laps of one phase add up, over layers and over
/// forward and backward. Laps outside of a step do nothing. Not for several threads. `start` and
/// `lap` allocate nothing.
public final class PhaseClock {
  /// Where reading the time waits for the device, one step in so many is split.
  private static final int SAMPLED = 16;

  private final LongSupplier splitTime;
  private final LongSupplier wholeTime; // of steps that are not split
  private final int every;
  private final Map<Phase, Lap> laps = new EnumMap<>(Phase.class);
  private final Lap[] all;
  private int steps;
  private int open; // steps
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
    this(nanoTime, nanoTime, 1);
  }

  private PhaseClock(LongSupplier splitTime, LongSupplier wholeTime, int every) {
    this.splitTime = splitTime;
    this.wholeTime = wholeTime;
    this.every = every;
    for (Phase phase : Phase.values()) {
      laps.put(phase, new Lap());
    }
    all = laps.values().toArray(Lap[]::new);
  }

  /// A clock that splits the first step and each 16th after it, so that the others run on without
  /// waiting at the end of each phase. Whoever stops another step has waited for its work.
  ///
  /// @param splitTime monotonic nanoseconds, for example `stream::timeNanos`
  /// @param wholeTime monotonic nanoseconds for which nobody waits
  public static PhaseClock sampling(LongSupplier splitTime, LongSupplier wholeTime) {
    return new PhaseClock(splitTime, wholeTime, SAMPLED);
  }

  /// Forgets all laps; a step begins now, or when the one under way has stopped.
  public void start() {
    for (Lap lap : all) {
      lap.nanos = 0;
      lap.timed = false;
    }
    running = splitsNext();
    steps++;
    if (open++ == 0) {
      begin = now();
      last = begin;
    }
  }

  private long now() {
    return (running ? splitTime : wholeTime).getAsLong();
  }

  /// Whether the step that starts next is split into phases.
  public boolean splitsNext() {
    return steps % every == 0;
  }

  /// The step that started last is not to be: it starts again later.
  public void drop() {
    steps--;
    open--;
    running = false;
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
    long now = now();
    Lap lap = Objects.requireNonNull(laps.get(phase)); // each phase has one
    lap.nanos += now - last;
    lap.timed = true;
    last = now;
  }

  /// The time since the last lap belongs to no phase.
  public void skip() {
    if (running) {
      last = now();
    }
  }

  /// The times of the oldest step, which ends now.
  ///
  /// @param tokens input tokens of the step
  public StepTimes stop(long tokens) {
    long now = now();
    running = false;
    open--;
    Map<Phase, Double> millis = new EnumMap<>(Phase.class);
    laps.forEach((phase, lap) -> {
      if (lap.timed) {
        millis.put(phase, lap.nanos / 1e6);
      }
    });
    double total = (now - begin) / 1e6;
    begin = now; // of the step after it, if that has started
    return new StepTimes(tokens, total, millis);
  }
}
