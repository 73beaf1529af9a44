package moe.engine.metrics;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.OptionalDouble;
import java.util.StringJoiner;
import java.util.function.Function;
import java.util.stream.Collectors;

/// The columns of `metrics.csv`; an empty cell is a value that does not exist.
final class MetricsCsv {
  private record Column(String name, Function<StepMetrics, OptionalDouble> value, boolean whole) {}

  private static final List<Column> COLUMNS = columns();

  private MetricsCsv() {}

  private static List<Column> columns() {
    var columns = new ArrayList<Column>();
    // These five come first, in this order: other programs rely on them.
    real(columns, "Loss", step -> OptionalDouble.of(step.losses().crossEntropy()));
    whole(columns, "TTT_Updates", step -> asDouble(step.meters()));
    real(columns, "RoutingDiversity", StepMetrics::routingDiversity);
    real(columns, "EstimatedPower", step -> step.meters().watts());
    real(columns, "Latency_ms", step -> OptionalDouble.of(step.times().totalMillis()));
    whole(columns, "Step", step -> OptionalDouble.of(step.step()));
    whole(columns, "Epoch", step -> OptionalDouble.of(step.epoch()));
    whole(columns, "Tokens", step -> OptionalDouble.of((double) step.times().tokens()));
    real(columns, "TokensPerSecond", step -> OptionalDouble.of(step.times().tokensPerSecond()));
    real(columns, "BalanceLoss", step -> step.losses().balance());
    real(columns, "ZLoss", step -> step.losses().z());
    real(columns, "GradientNorm", step -> step.update().gradientNorm());
    real(columns, "LearningRate", step -> step.update().learningRate());
    real(columns, "RoutingEntropy", StepMetrics::routingEntropy);
    real(columns, "MaxOverMeanLoad", StepMetrics::maxOverMeanLoad);
    real(columns, "DistinctExperts", StepMetrics::distinctExperts);
    real(columns, "ExpertsPerToken", StepMetrics::expertsPerToken);
    real(columns, "TTT_Change", step -> step.meters().tttChange());
    for (Phase phase : Phase.values()) {
      real(columns, title(phase) + "_ms", step -> millis(step, phase));
    }
    real(columns, "Other_ms", step -> other(step.times()));
    return List.copyOf(columns);
  }

  private static void real(
      List<Column> columns, String name, Function<StepMetrics, OptionalDouble> value) {
    columns.add(new Column(name, value, false));
  }

  private static void whole(
      List<Column> columns, String name, Function<StepMetrics, OptionalDouble> value) {
    columns.add(new Column(name, value, true));
  }

  private static OptionalDouble asDouble(Meters meters) {
    return meters.tttUpdates().isPresent()
        ? OptionalDouble.of((double) meters.tttUpdates().getAsLong())
        : OptionalDouble.empty();
  }

  private static OptionalDouble millis(StepMetrics step, Phase phase) {
    Double millis = step.times().phaseMillis().get(phase);
    return millis == null ? OptionalDouble.empty() : OptionalDouble.of(millis);
  }

  private static OptionalDouble other(StepTimes times) {
    return times.phaseMillis().isEmpty()
        ? OptionalDouble.empty()
        : OptionalDouble.of(times.otherMillis());
  }

  /// `FUSED_MOE` as `FusedMoe`.
  private static String title(Phase phase) {
    return List.of(phase.name().split("_")).stream()
        .map(word -> word.charAt(0) + word.substring(1).toLowerCase(Locale.ROOT))
        .collect(Collectors.joining());
  }

  static List<String> header() {
    return COLUMNS.stream().map(Column::name).toList();
  }

  static String headerLine() {
    return String.join(",", header());
  }

  static String line(StepMetrics step) {
    var cells = new StringJoiner(",");
    for (Column column : COLUMNS) {
      OptionalDouble value = column.value().apply(step);
      cells.add(value.isEmpty() ? "" : cell(value.getAsDouble(), column.whole()));
    }
    return cells.toString();
  }

  private static String cell(double value, boolean whole) {
    return whole ? Long.toString((long) value) : Double.toString(value);
  }
}
