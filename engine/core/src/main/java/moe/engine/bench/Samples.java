package moe.engine.bench;

import java.util.Arrays;

/// Durations of repeated runs, in nanoseconds.
public final class Samples {
  private long[] nanos = new long[64];
  private int count;

  /// Adds one duration.
  public void add(long duration) {
    if (count == nanos.length) {
      nanos = Arrays.copyOf(nanos, 2 * count);
    }
    nanos[count++] = duration;
  }

  /// How many durations there are.
  public int count() {
    return count;
  }

  /// The nearest-rank percentile in milliseconds.
  ///
  /// @param percent 0 to 100; 50 is the median
  /// @throws IllegalStateException without a sample
  public double percentileMillis(double percent) {
    if (count == 0) {
      throw new IllegalStateException("no samples");
    }
    long[] sorted = Arrays.copyOf(nanos, count);
    Arrays.sort(sorted);
    int rank = (int) Math.ceil(percent / 100 * count);
    return sorted[Math.clamp(rank - 1, 0, count - 1)] / 1e6;
  }
}
