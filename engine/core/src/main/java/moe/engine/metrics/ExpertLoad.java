package moe.engine.metrics;

import java.util.Arrays;
import java.util.stream.IntStream;

/// How many assignments each expert of a layer got; immutable.
public final class ExpertLoad {
  private final int[] counts;

  private ExpertLoad(int[] counts) {
    for (int count : counts) {
      Check.least("load", count, 0);
    }
    this.counts = counts;
  }

  /// The load of experts 0, 1, …
  public static ExpertLoad of(int... counts) {
    return new ExpertLoad(counts.clone());
  }

  /// The number of experts.
  public int experts() {
    return counts.length;
  }

  /// The assignments of one expert.
  public int assignments(int expert) {
    return counts[expert];
  }

  /// The assignments of all experts.
  public long total() {
    return IntStream.of(counts).asLongStream().sum();
  }

  /// The loads in the order of experts.
  public IntStream stream() {
    return IntStream.of(counts);
  }

  /// Entropy of the load over its maximum, log(experts): 1 is even, 0 is one expert for all. One
  /// expert is always even; a layer without any assignment has 0.
  public double entropy() {
    long total = total();
    if (total == 0) {
      return 0;
    }
    if (counts.length == 1) {
      return 1;
    }
    double sum = 0;
    for (int count : counts) {
      if (count > 0) {
        double share = (double) count / total;
        sum -= share * Math.log(share);
      }
    }
    return Math.clamp(sum / Math.log(counts.length), 0, 1);
  }

  /// The busiest expert's load over the mean load: 1 is even; 0 without any assignment.
  public double maxOverMean() {
    long total = total();
    return total == 0 ? 0 : (double) IntStream.of(counts).max().orElse(0) * counts.length / total;
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof ExpertLoad load && Arrays.equals(counts, load.counts);
  }

  @Override
  public int hashCode() {
    return Arrays.hashCode(counts);
  }

  @Override
  public String toString() {
    return Arrays.toString(counts);
  }
}
