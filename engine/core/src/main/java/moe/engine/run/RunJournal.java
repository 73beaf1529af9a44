package moe.engine.run;

import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;
import moe.engine.energy.EnergyWatch;
import moe.engine.metrics.Course;
import moe.engine.metrics.Ending;
import moe.engine.metrics.EnergyWindow;
import moe.engine.metrics.ExpertProfile;
import moe.engine.metrics.HeldOutMetrics;
import moe.engine.metrics.HeldOutSummary;
import moe.engine.metrics.RunFiles;
import moe.engine.metrics.RunLog;
import moe.engine.metrics.RunSummary;
import moe.engine.metrics.StepMetrics;
import moe.engine.report.Report;
import moe.spi.stage.EnergyPrices;

/// The record of a run as it goes on: steps done, held-out results, the summary and the report.
final class RunJournal implements AutoCloseable {
  private final RunFiles files;
  private final RunLog log;
  private final RunWatcher watcher;
  private final EnergyWatch energy;
  private final Consumer<EnergyPrices> prices;
  private final List<HeldOutMetrics> heldOut;
  private final double earlierSeconds;
  private final long begin = System.nanoTime();
  private RunSummary summary;
  private int steps;
  private long tokens;

  /// @param summary with the course so far
  /// @param heldOut results so far
  /// @param energy closed with this
  /// @param prices is told what experts cost, as often as that is known better
  RunJournal(
      RunFiles files,
      RunLog log,
      RunSummary summary,
      List<HeldOutMetrics> heldOut,
      RunWatcher watcher,
      EnergyWatch energy,
      Consumer<EnergyPrices> prices) {
    this.energy = energy;
    this.prices = prices;
    this.files = files;
    this.log = log;
    this.summary = summary;
    this.heldOut = new ArrayList<>(heldOut);
    this.watcher = watcher;
    this.steps = summary.course().steps();
    this.tokens = summary.course().tokens();
    this.earlierSeconds = summary.course().seconds();
  }

  /// Writes the first summary and tells the watcher.
  void begin() {
    write(Ending.of(Ending.Reason.RUNNING));
    watcher.begin(files.directory(), summary);
    energy.begin();
  }

  void add(StepMetrics step) {
    Optional<EnergyWindow> window = energy.step(step);
    StepMetrics measured = step.with(step.meters().at(energy.watts()));
    log.add(measured);
    window.ifPresent(log::add);
    if (window.isPresent()) {
      energy.prices().ifPresent(prices);
    }
    steps = step.step();
    tokens += step.times().tokens();
    watcher.step(measured);
  }

  void add(HeldOutMetrics result) {
    log.add(result);
    heldOut.add(result);
    watcher.looked(result);
  }

  /// Whether there is a held-out result after this step.
  boolean looked(int step) {
    return !heldOut.isEmpty() && heldOut.getLast().step() == step;
  }

  /// Everything is on the disk when this returns.
  void force() {
    log.force();
  }

  /// Replaces the summary.
  RunSummary write(Ending ending) {
    Course before = summary.course();
    Course course =
        new Course(
            before.training(),
            before.started(),
            steps,
            before.plannedSteps(),
            tokens,
            seconds(),
            PeakMemory.ofThisProcess());
    HeldOutSummary results = HeldOutSummary.of(heldOut, summary.heldOut().baselines());
    summary = summary.at(ending, course, results).with(energy.summary());
    log.write(summary);
    return summary;
  }

  void write(List<ExpertProfile> experts) {
    log.write(experts);
  }

  /// Writes the last summary and the report.
  RunSummary end(Ending ending) {
    write(ending);
    var _ = Report.write(files.directory());
    return summary;
  }

  Instant started() {
    return summary.course().started();
  }

  /// Seconds of all parts of the run.
  double seconds() {
    return earlierSeconds + secondsNow();
  }

  /// Seconds of this part.
  double secondsNow() {
    return (System.nanoTime() - begin) / 1e9;
  }

  @Override
  public void close() {
    energy.close();
    log.close();
  }
}
