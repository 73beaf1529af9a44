package moe.engine.report;

import java.util.Comparator;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import moe.engine.metrics.HeldOutMetrics;
import moe.engine.metrics.Phase;
import moe.engine.metrics.RunRecord;
import moe.engine.metrics.RunSummary;
import moe.engine.metrics.StepMetrics;
import moe.engine.metrics.StepTimes;

/// A whole run, boiled down to what the page shows; its size does not depend on the number of steps
/// (but for eight bytes each, for exact percentiles).
final class RunDigest {
  private static final int POINTS = 800;

  private final RunSummary summary;
  private final List<HeldOutMetrics> heldOut;
  private final ThinnedSeries series = new ThinnedSeries(POINTS);
  private final Latencies latencies = new Latencies();
  private final LoadMap load = new LoadMap();
  private final Map<Phase, Double> phaseMillis = new EnumMap<>(Phase.class);
  private double totalMillis;
  private int timedSteps; // those whose phases were timed
  private double timedMillis;
  private double otherMillis;
  private long tokens;
  private int lastStep;
  private double firstLoss = Double.NaN;

  /// The time of a part of the step.
  ///
  /// @param millis mean per step
  /// @param share of the step, 0 to 1
  record PhaseTime(String label, double millis, double share) {}

  private RunDigest(RunSummary summary, List<HeldOutMetrics> heldOut) {
    this.summary = summary;
    this.heldOut = heldOut;
  }

  static RunDigest of(RunRecord run) {
    var digest = new RunDigest(run.summary(), run.heldOut());
    run.steps(digest::add);
    return digest;
  }

  private void add(StepMetrics step) {
    series.add(step);
    load.add(step);
    latencies.add(step.times().totalMillis());
    addPhases(step.times());
    totalMillis += step.times().totalMillis();
    tokens += step.times().tokens();
    if (lastStep == 0) {
      firstLoss = step.losses().crossEntropy();
    }
    lastStep = step.step();
  }

  private void addPhases(StepTimes times) {
    if (!times.phaseMillis().isEmpty()) {
      times.phaseMillis().forEach((phase, ms) -> phaseMillis.merge(phase, ms, Double::sum));
      timedSteps++;
      timedMillis += times.totalMillis();
      otherMillis += times.otherMillis();
    }
  }

  RunSummary summary() {
    return summary;
  }

  List<HeldOutMetrics> heldOut() {
    return heldOut;
  }

  ThinnedSeries series() {
    return series;
  }

  Latencies latencies() {
    return latencies;
  }

  LoadMap load() {
    return load;
  }

  /// The last recorded step, 0 if there is none.
  int lastStep() {
    return lastStep;
  }

  /// Loss of the first recorded step.
  double firstLoss() {
    return firstLoss;
  }

  /// Tokens of all recorded steps.
  long tokens() {
    return tokens;
  }

  /// Seconds of all recorded steps, without what lay between them.
  double seconds() {
    return totalMillis / 1e3;
  }

  /// Tokens per second of step time; 0 if none passed.
  double tokensPerSecond() {
    return totalMillis > 0 ? tokens * 1e3 / totalMillis : 0;
  }

  /// The parts of a step, longest first, at the end what no phase accounts for; empty if none was
  /// timed.
  List<PhaseTime> phases() {
    if (phaseMillis.isEmpty()) {
      return List.of();
    }
    var timed =
        phaseMillis.entrySet().stream()
            .map(entry -> phase(entry.getKey().label(), entry.getValue()))
            .sorted(Comparator.comparingDouble(PhaseTime::millis).reversed());
    return Stream.concat(timed, Stream.of(phase("everything else", otherMillis))).toList();
  }

  private PhaseTime phase(String label, double millis) {
    return new PhaseTime(
        label,
        Drawn.rounded(millis / timedSteps),
        timedMillis > 0 ? Drawn.rounded(millis / timedMillis) : 0);
  }
}
