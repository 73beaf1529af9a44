package moe.engine.report;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import moe.engine.metrics.Baselines;
import moe.engine.metrics.EnergySummary;
import moe.engine.metrics.EnergyWindow;
import moe.engine.metrics.ExpertProfile;
import moe.engine.metrics.HeldOutMetrics;
import moe.engine.metrics.RunSummary;
import org.jspecify.annotations.Nullable;

/// What the page's script reads: the names of these records' components are its vocabulary.
///
/// @param load null for a dense model
/// @param latency null before the first step
record PageData(
    String title,
    String ending,
    List<Finding> findings,
    List<Facts.Figure> figures,
    Series series,
    HeldOut heldOut,
    @Nullable Latency latency,
    List<RunDigest.PhaseTime> phases,
    LoadMap.@Nullable Shares load,
    List<Layer> experts,
    List<Fact.Group> facts,
    List<String> notes,
    String pipeline,
    boolean estimated,
    List<Costs> costs) {

  /// Relative costs of experts at a step.
  record Costs(int step, List<Double> costs) {}

  private static final int MOST_WINDOWS = 200;

  /// Values over steps.
  ///
  /// @param stride steps per point
  record Series(int stride, List<Integer> steps, Map<String, List<@Nullable Double>> columns) {}

  /// @param points step and perplexity of each look
  record HeldOut(List<List<Double>> points, @Nullable Double uniform, @Nullable Double unigram) {}

  /// @param percentiles of the steps: 50, 95 and 99, in milliseconds
  record Latency(Latencies.Histogram histogram, List<Double> percentiles, int steps) {}

  /// The experts of a layer with their tokens.
  record Layer(int layer, List<ExpertProfile> experts) {}

  static PageData of(RunDigest run, List<ExpertProfile> experts, List<EnergyWindow> windows) {
    RunSummary summary = run.summary();
    return new PageData(
        summary.name(),
        summary.ending().reason().key(),
        Findings.of(run),
        Facts.figures(run),
        new Series(run.series().stride(), run.series().steps(), run.series().columns()),
        heldOut(run.heldOut(), summary.heldOut().baselines()),
        run.latencies().count() == 0 ? null : latency(run.latencies()),
        run.phases(),
        run.load().isEmpty() ? null : run.load().shares(),
        layers(experts),
        Facts.groups(summary),
        summary.execution().notes(),
        summary.pipeline(),
        summary.energy().map(EnergySummary::estimated).orElse(false),
        costs(windows));
  }

  private static HeldOut heldOut(List<HeldOutMetrics> results, Baselines baselines) {
    return new HeldOut(
        results.stream()
            .filter(result -> Double.isFinite(result.perplexity()))
            .map(result -> List.of((double) result.step(), Drawn.rounded(result.perplexity())))
            .toList(),
        Drawn.orGap(baselines.uniform().orElse(Double.NaN)),
        Drawn.orGap(baselines.unigram().orElse(Double.NaN)));
  }

  /// A bounded number of windows.
  private static List<Costs> costs(List<EnergyWindow> windows) {
    int stride = Math.max(1, windows.size() / MOST_WINDOWS);
    List<Costs> costs = new ArrayList<>();
    for (int i = 0; i < windows.size(); i += stride) {
      EnergyWindow window = windows.get(i);
      costs.add(
          new Costs(window.step(), window.relativeCosts().stream().map(Drawn::rounded).toList()));
    }
    return costs;
  }

  private static Latency latency(Latencies all) {
    return new Latency(
        all.histogram(),
        List.of(all.percentile(50), all.percentile(95), all.percentile(99)),
        all.count());
  }

  private static List<Layer> layers(List<ExpertProfile> experts) {
    var layers = new ArrayList<Layer>();
    for (ExpertProfile expert : experts) {
      if (layers.isEmpty() || layers.getLast().layer() != expert.layer()) {
        layers.add(new Layer(expert.layer(), new ArrayList<>()));
      }
      layers.getLast().experts().add(expert);
    }
    return layers;
  }
}
