package moe.engine.metrics;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.function.BiFunction;
import java.util.function.ToIntFunction;
import moe.engine.files.SafeFile;
import moe.spi.error.MoeException;
import org.jspecify.annotations.Nullable;

/// Writes the record of a run into its directory: each step as it happens, the rest at once.
///
/// After every call the files are whole, whatever kills the process. Errors of the disk are
/// `MoeException`s of kind `DATA`; what was written before stays. Not for several threads.
public final class RunLog implements AutoCloseable {
  private final RunFiles files;
  private final LineFile steps;
  private final LineFile heldOut;
  private final LineFile csv;
  private @Nullable LineFile energy; // from the first window on

  private RunLog(RunFiles files, LineFile steps, LineFile heldOut, LineFile csv) {
    this.files = files;
    this.steps = steps;
    this.heldOut = heldOut;
    this.csv = csv;
  }

  /// The log of a new run.
  ///
  /// @param files of a directory that exists
  /// @throws MoeException kind `USAGE` if the directory holds another run's log
  public static RunLog create(RunFiles files) {
    LineFile steps = LineFile.create(files.metrics());
    LineFile heldOut = LineFile.create(files.heldOut());
    LineFile csv = LineFile.create(files.csv());
    csv.append(MetricsCsv.headerLine());
    return new RunLog(files, steps, heldOut, csv);
  }

  /// The log of a run that goes on after a step: what lies behind that step is cut off.
  ///
  /// @param step the last step that counts, 0 for none
  public static RunLog resume(RunFiles files, int step) {
    LineFile steps = cut(files.metrics(), StepJson::step, StepMetrics::step, step);
    LineFile heldOut = cut(files.heldOut(), StepJson::heldOut, HeldOutMetrics::step, step);
    var table = new StringBuilder(MetricsCsv.headerLine()).append('\n');
    new RunRecord(files).steps(kept -> table.append(MetricsCsv.line(kept)).append('\n'));
    SafeFile.write(files.csv(), table.toString()); // it follows from the steps
    LineFile csv = LineFile.resume(files.csv(), table.length()); // ASCII: a byte each
    RunLog log = new RunLog(files, steps, heldOut, csv);
    if (Files.exists(files.energy())) {
      log.energy = cut(files.energy(), EnergyJson::window, EnergyWindow::step, step);
    }
    return log;
  }

  private static <T> LineFile cut(
      Path path, BiFunction<String, String, T> parse, ToIntFunction<T> stepOf, int last) {
    long[] length = {0};
    if (Files.exists(path)) {
      LineFile.read(
          path,
          (place, line, end) -> {
            boolean counts = stepOf.applyAsInt(parse.apply(place, line)) <= last;
            length[0] = counts ? end : length[0];
            return counts;
          });
    }
    return LineFile.resume(path, length[0]);
  }

  /// Adds a step.
  public void add(StepMetrics step) {
    steps.append(StepJson.line(step));
    csv.append(MetricsCsv.line(step));
  }

  /// Adds a look at the held-out text.
  public void add(HeldOutMetrics result) {
    heldOut.append(StepJson.heldOut(result).line());
  }

  /// Adds a window of the energy meter.
  public void add(EnergyWindow window) {
    if (energy == null) {
      energy = LineFile.create(files.energy());
    }
    energy.append(EnergyJson.line(window));
  }

  /// Replaces the summary.
  public void write(RunSummary summary) {
    SafeFile.write(files.summary(), SummaryJson.page(summary));
  }

  /// Replaces the experts' profiles.
  public void write(List<ExpertProfile> experts) {
    SafeFile.write(files.experts(), ExpertJson.page(experts));
  }

  /// Waits until all lines are on the disk itself; call it before a checkpoint counts.
  public void force() {
    steps.force();
    heldOut.force();
    csv.force();
  }

  @Override
  public void close() {
    try (steps;
        heldOut;
        csv) { // closes all, in spite of an error in one
      if (energy != null) {
        energy.close();
      }
    }
  }
}
