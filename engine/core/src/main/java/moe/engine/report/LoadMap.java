package moe.engine.report;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.LongStream;
import moe.engine.metrics.LayerRouting;
import moe.engine.metrics.StepMetrics;

/// Assignments per layer and expert, over the whole run and in a bounded number of time bins.
final class LoadMap {
  private static final int MOST_CELLS = 60_000;

  private final List<long[][]> bins = new ArrayList<>(); // each [layers][experts]
  private final List<Integer> ends = new ArrayList<>(); // last step of each bin
  private int most;
  private int stride = 1;
  private int inLast;

  /// Where the tokens went.
  ///
  /// @param total `[layers][experts]`: load over the fair share, 1 is even
  /// @param binEnds last step of each bin
  /// @param overTime `[layers][bins][experts]`
  record Shares(
      List<List<Double>> total, List<Integer> binEnds, List<List<List<Double>>> overTime) {
    int layers() {
      return total.size();
    }

    int experts() {
      return total.getFirst().size();
    }
  }

  void add(StepMetrics step) {
    List<LayerRouting> routing = step.routing();
    if (routing.isEmpty()) {
      return;
    }
    int experts = routing.getFirst().load().experts();
    if (bins.isEmpty()) {
      most = Math.clamp(MOST_CELLS / ((long) routing.size() * experts), 8, 48) & ~1;
    }
    if (inLast == stride || bins.isEmpty()) {
      if (bins.size() == most) {
        halve();
      }
      bins.add(new long[routing.size()][experts]);
      ends.add(0);
      inLast = 0;
    }
    long[][] last = bins.getLast();
    for (int layer = 0; layer < Math.min(last.length, routing.size()); layer++) {
      for (int expert = 0; expert < last[layer].length; expert++) {
        last[layer][expert] += routing.get(layer).load().assignments(expert);
      }
    }
    ends.set(ends.size() - 1, step.step());
    inLast++;
  }

  private void halve() {
    for (int bin = 0; bin < most / 2; bin++) {
      addTo(bins.get(2 * bin), bins.get(2 * bin + 1));
      bins.set(bin, bins.get(2 * bin));
      ends.set(bin, ends.get(2 * bin + 1));
    }
    bins.subList(most / 2, most).clear();
    ends.subList(most / 2, most).clear();
    stride *= 2;
  }

  private static void addTo(long[][] sum, long[][] part) {
    for (int layer = 0; layer < sum.length; layer++) {
      for (int expert = 0; expert < sum[layer].length; expert++) {
        sum[layer][expert] += part[layer][expert];
      }
    }
  }

  boolean isEmpty() {
    return bins.isEmpty();
  }

  /// @throws IllegalStateException without any routing
  Shares shares() {
    if (isEmpty()) {
      throw new IllegalStateException("no routing");
    }
    int layers = bins.getFirst().length;
    long[][] sum = new long[layers][bins.getFirst()[0].length];
    bins.forEach(bin -> addTo(sum, bin));
    var total = new ArrayList<List<Double>>();
    var overTime = new ArrayList<List<List<Double>>>();
    for (int layer = 0; layer < layers; layer++) {
      int row = layer;
      total.add(shares(sum[layer]));
      overTime.add(bins.stream().map(bin -> shares(bin[row])).toList());
    }
    return new Shares(total, List.copyOf(ends), overTime);
  }

  private static List<Double> shares(long[] load) {
    long sum = LongStream.of(load).sum();
    return LongStream.of(load)
        .mapToDouble(count -> sum == 0 ? 0 : (double) count * load.length / sum)
        .map(share -> Math.round(share * 1000) / 1000.0)
        .boxed()
        .toList();
  }
}
