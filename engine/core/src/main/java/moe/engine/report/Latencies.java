package moe.engine.report;

import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;

/// The durations of all steps, in milliseconds.
final class Latencies {
  private static final int BINS = 36;

  private double[] millis = new double[1024];
  private int count;
  private boolean sorted;

  /// How many steps took how long.
  ///
  /// @param from lower edge of the first bin, in milliseconds
  /// @param width of a bin
  /// @param counts steps per bin; the last bin also holds everything slower
  /// @param slowest the longest step
  record Histogram(double from, double width, List<Integer> counts, double slowest) {}

  void add(double duration) {
    if (count == millis.length) {
      millis = Arrays.copyOf(millis, 2 * count);
    }
    millis[count++] = duration;
    sorted = false;
  }

  int count() {
    return count;
  }

  /// The nearest-rank percentile; NaN without a step.
  double percentile(double percent) {
    if (!sorted) {
      Arrays.sort(millis, 0, count);
      sorted = true;
    }
    int rank = (int) Math.ceil(percent / 100 * count);
    return count == 0 ? Double.NaN : millis[Math.clamp(rank - 1, 0, count - 1)];
  }

  /// Bins of a round width from the fastest step to the 99th percentile.
  Histogram histogram() {
    double low = percentile(0);
    double width = roundUp(Math.max((percentile(99) - low) / BINS, percentile(50) / 500));
    double from = Math.floor(low / width) * width;
    int bins = (int) Math.floor((percentile(99) - from) / width) + 1;
    int[] counts = new int[bins];
    for (int i = 0; i < count; i++) {
      counts[(int) Math.min((millis[i] - from) / width, bins - 1)]++;
    }
    return new Histogram(
        Drawn.rounded(from), width, IntStream.of(counts).boxed().toList(), percentile(100));
  }

  /// The next of 1, 2, 5, 10, 20, … (times a power of ten).
  private static double roundUp(double value) {
    if (!(value > 0)) {
      return 1;
    }
    double power = Math.pow(10, Math.floor(Math.log10(value)));
    double digit = value / power;
    return Drawn.rounded(power * (digit <= 1 ? 1 : digit <= 2 ? 2 : digit <= 5 ? 5 : 10));
  }
}
