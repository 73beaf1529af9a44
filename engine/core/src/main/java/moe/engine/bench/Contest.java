package moe.engine.bench;

import java.lang.management.CompilationMXBean;
import java.lang.management.ManagementFactory;
import java.util.List;
import moe.spi.device.DeviceStream;

/// Times several ways to do one thing in turn, A B C A B C, so that a machine that changes its
/// speed slows all alike.
final class Contest {
  private static final int LEAST_WARM_UPS = 3;
  // The JIT compiler needs a second or two to bring its last version of a kernel, and many more
  // where others use the processor: a run that still interprets a part measures that part.
  private static final long WARM_UP_NANOS = 1_500_000_000;
  private static final long SETTLED_NANOS = 1_000_000_000;
  private static final long LONGEST_WARM_UP_NANOS = 20_000_000_000L;
  private static final long SLICE_NANOS = 50_000_000;
  private static final int LEAST_RUNS = 5;
  private static final int LEAST_ROUNDS = 3;

  /// One way.
  interface Entrant {
    /// What is not timed but must come first, such as the forward before a backward.
    void prepare(DeviceStream stream);

    /// What is timed.
    void run(DeviceStream stream);
  }

  /// What the device could do at this moment.
  @FunctionalInterface
  interface Yardstick {
    /// Operations per second.
    double flopsPerSecond();
  }

  private final DeviceStream stream;
  private final Yardstick yardstick;
  private final double seconds;

  /// @param yardstick is read before and after each slice
  /// @param seconds for each entrant, about
  Contest(DeviceStream stream, Yardstick yardstick, double seconds) {
    this.stream = stream;
    this.yardstick = yardstick;
    this.seconds = seconds;
  }

  /// Runs all entrants; durations go to the samples of the same index.
  void run(List<? extends Entrant> entrants, List<Samples> samples, Progress progress) {
    for (Entrant entrant : entrants) {
      warmUp(entrant);
    }
    long end = System.nanoTime() + (long) (seconds * 1e9 * entrants.size());
    for (int round = 0; !enough(round, end, samples); round++) {
      double before = yardstick.flopsPerSecond();
      for (int i = 0; i < entrants.size(); i++) {
        int first = samples.get(i).count();
        slice(entrants.get(i), samples.get(i));
        double after = yardstick.flopsPerSecond();
        samples.get(i).slice(first, (before + after) / 2);
        before = after;
      }
      progress.round(round);
    }
  }

  // Until nothing was compiled for a while.
  private void warmUp(Entrant entrant) {
    long start = System.nanoTime();
    long now = start;
    long settledSince = start;
    long compiled = compilerMillis();
    for (int i = 0;
        i < LEAST_WARM_UPS
            || now - start < WARM_UP_NANOS
            || (now - settledSince < SETTLED_NANOS && now - start < LONGEST_WARM_UP_NANOS);
        i++) {
      duration(entrant);
      now = System.nanoTime();
      long before = compiled;
      compiled = compilerMillis();
      settledSince = compiled == before ? settledSince : now;
    }
  }

  private static long compilerMillis() {
    CompilationMXBean compiler = ManagementFactory.getCompilationMXBean();
    return compiler != null && compiler.isCompilationTimeMonitoringSupported()
        ? compiler.getTotalCompilationTime()
        : 0;
  }

  private static boolean enough(int rounds, long end, List<Samples> samples) {
    return System.nanoTime() >= end
        && rounds >= LEAST_ROUNDS
        && samples.stream().allMatch(s -> s.count() >= LEAST_RUNS);
  }

  private void slice(Entrant entrant, Samples samples) {
    long start = System.nanoTime();
    do {
      samples.add(duration(entrant));
    } while (System.nanoTime() - start < SLICE_NANOS);
  }

  private long duration(Entrant entrant) {
    entrant.prepare(stream);
    long start = stream.timeNanos();
    entrant.run(stream);
    return stream.timeNanos() - start;
  }
}
