package moe.engine.run;

import java.nio.file.Path;
import moe.engine.metrics.HeldOutMetrics;
import moe.engine.metrics.RunSummary;
import moe.engine.metrics.StepMetrics;

/// Whoever wants to see a run as it happens. Called by the thread that runs.
public interface RunWatcher {
  /// Something worth a line.
  void notice(String line);

  /// All is loaded; the first step follows.
  ///
  /// @param directory of the run
  /// @param summary with the steps done so far
  void begin(Path directory, RunSummary summary);

  /// A look at the held-out text begins.
  ///
  /// @param step steps of training so far
  void looking(int step);

  /// A look at the held-out text is over.
  void looked(HeldOutMetrics result);

  /// A step is done.
  void step(StepMetrics step);

  /// A checkpoint is on the disk.
  void saved(Path checkpoint);
}
