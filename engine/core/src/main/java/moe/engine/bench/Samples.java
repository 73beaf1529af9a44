package moe.engine.bench;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/// Durations of repeated runs, in nanoseconds.
public final class Samples {
  private long[] nanos = new long[64];
  private int count;
  private final List<Double> possible = new ArrayList<>();
  private final List<Double> peaks = new ArrayList<>();

  /// Adds one duration.
  public void add(long duration) {
    if (count == nanos.length) {
      nanos = Arrays.copyOf(nanos, 2 * count);
    }
    nanos[count++] = duration;
  }

  /// Ends a slice: the durations from index `first` on were measured while the device could do
  /// `flopsPerSecond`.
  void slice(int first, double flopsPerSecond) {
    long[] sorted = Arrays.copyOfRange(nanos, first, count);
    Arrays.sort(sorted);
    possible.add(sorted[sorted.length / 2] * 1e-9 * flopsPerSecond);
    peaks.add(flopsPerSecond);
  }

  /// The operations that the device could have done in the median run, at its speed of that moment.
  public double possibleFlops() {
    return median(possible);
  }

  /// The median of what the device could do, in operations per second.
  public double peakFlopsPerSecond() {
    return median(peaks);
  }

  private static double median(List<Double> values) {
    double[] sorted = values.stream().mapToDouble(Double::doubleValue).sorted().toArray();
    return sorted[sorted.length / 2];
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
