package moe.engine.report;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalDouble;
import java.util.function.Function;
import moe.engine.metrics.Meters;
import moe.engine.metrics.StepMetrics;
import org.jspecify.annotations.Nullable;

/// The steps of a run, thinned to a bounded number of points while they are read.
///
/// Up to the bound every step is a point. Beyond it, neighbours merge: a point holds the mean (or
/// the extreme) over 2, 4, 8 … steps.
final class ThinnedSeries {
  /// How the values of merged steps become one.
  enum Fold {
    MEAN,
    LEAST,
    MOST
  }

  private record Column(String name, Fold fold, Function<StepMetrics, OptionalDouble> value) {}

  private record Cell(double value, int count) {
    private static final Cell EMPTY = new Cell(Double.NaN, 0);

    Cell and(Cell other, Fold fold) {
      if (count == 0 || other.count == 0) {
        return count == 0 ? other : this;
      }
      int both = count + other.count;
      double merged =
          switch (fold) {
            case MEAN -> (value * count + other.value * other.count) / both;
            case LEAST -> Math.min(value, other.value);
            case MOST -> Math.max(value, other.value);
          };
      return new Cell(merged, both);
    }
  }

  private static final List<Column> COLUMNS =
      List.of(
          new Column("loss", Fold.MEAN, step -> OptionalDouble.of(step.losses().crossEntropy())),
          new Column(
              "lossLow", Fold.LEAST, step -> OptionalDouble.of(step.losses().crossEntropy())),
          new Column(
              "lossHigh", Fold.MOST, step -> OptionalDouble.of(step.losses().crossEntropy())),
          new Column("balance", Fold.MEAN, step -> step.losses().balance()),
          new Column("z", Fold.MEAN, step -> step.losses().z()),
          new Column("diversity", Fold.MEAN, StepMetrics::routingDiversity),
          new Column("entropy", Fold.MEAN, StepMetrics::routingEntropy),
          new Column("maxOverMean", Fold.MEAN, StepMetrics::maxOverMeanLoad),
          new Column("gradientNorm", Fold.MEAN, step -> step.update().gradientNorm()),
          new Column("learningRate", Fold.MEAN, step -> step.update().learningRate()),
          new Column("watts", Fold.MEAN, step -> step.meters().watts()),
          new Column("joulesPerToken", Fold.MEAN, ThinnedSeries::joulesPerToken),
          new Column("distinctExperts", Fold.MEAN, StepMetrics::distinctExperts),
          new Column("expertsPerToken", Fold.MEAN, StepMetrics::expertsPerToken),
          new Column("tttUpdates", Fold.MEAN, step -> updates(step.meters())),
          new Column("tttChange", Fold.MEAN, step -> step.meters().tttChange()));

  /// Power times time: what the step used if it was like the others of its window.
  private static OptionalDouble joulesPerToken(StepMetrics step) {
    OptionalDouble watts = step.meters().watts();
    return watts.isPresent() && step.times().tokens() > 0
        ? OptionalDouble.of(
            watts.getAsDouble() * step.times().totalMillis() / 1e3 / step.times().tokens())
        : OptionalDouble.empty();
  }

  private static OptionalDouble updates(Meters meters) {
    return meters.tttUpdates().isPresent()
        ? OptionalDouble.of((double) meters.tttUpdates().getAsLong())
        : OptionalDouble.empty();
  }

  private final int most;
  private final List<Cell[]> points = new ArrayList<>();
  private final List<Integer> steps = new ArrayList<>(); // last step of each point
  private int stride = 1;
  private int inLast;

  /// @param most points, an even number
  ThinnedSeries(int most) {
    this.most = most;
  }

  void add(StepMetrics step) {
    if (inLast == stride || points.isEmpty()) {
      if (points.size() == most) {
        halve();
      }
      Cell[] empty = new Cell[COLUMNS.size()];
      Arrays.fill(empty, Cell.EMPTY);
      points.add(empty);
      steps.add(0);
      inLast = 0;
    }
    Cell[] last = points.getLast();
    for (int i = 0; i < last.length; i++) {
      OptionalDouble value = COLUMNS.get(i).value().apply(step);
      if (value.isPresent()) {
        last[i] = last[i].and(new Cell(value.getAsDouble(), 1), COLUMNS.get(i).fold());
      }
    }
    steps.set(steps.size() - 1, step.step());
    inLast++;
  }

  /// Merges neighbours; called when the last point is full.
  private void halve() {
    for (int point = 0; point < most / 2; point++) {
      Cell[] left = points.get(2 * point);
      Cell[] right = points.get(2 * point + 1);
      for (int i = 0; i < left.length; i++) {
        left[i] = left[i].and(right[i], COLUMNS.get(i).fold());
      }
      points.set(point, left);
      steps.set(point, steps.get(2 * point + 1));
    }
    points.subList(most / 2, most).clear();
    steps.subList(most / 2, most).clear();
    stride *= 2;
  }

  /// Steps in a point.
  int stride() {
    return stride;
  }

  /// The last step of each point.
  List<Integer> steps() {
    return List.copyOf(steps);
  }

  /// The columns that have a value anywhere; a gap is null.
  Map<String, List<@Nullable Double>> columns() {
    var columns = new LinkedHashMap<String, List<@Nullable Double>>();
    for (int i = 0; i < COLUMNS.size(); i++) {
      int column = i;
      if (points.stream().anyMatch(point -> point[column].count() > 0)) {
        List<@Nullable Double> values = new ArrayList<>();
        points.forEach(point -> values.add(Drawn.orGap(point[column].value())));
        columns.put(COLUMNS.get(i).name(), values);
      }
    }
    return columns;
  }

  /// Mean of a column over the points from `from` (a share of the run) to `to`; empty without any.
  OptionalDouble mean(String name, double from, double to) {
    List<@Nullable Double> values = columns().getOrDefault(name, List.of());
    int size = values.size();
    int begin = (int) Math.floor(from * size);
    int end = Math.max((int) Math.ceil(to * size), Math.min(begin + 1, size));
    double sum = 0;
    int count = 0;
    for (Double value : values.subList(begin, end)) {
      if (value != null) {
        sum += value;
        count++;
      }
    }
    return count == 0 ? OptionalDouble.empty() : OptionalDouble.of(sum / count);
  }
}
