package moe.engine.metrics;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import moe.spi.error.ErrorKind;
import moe.spi.error.MoeException;

/// Reads what a run has left in its directory.
///
/// Errors are `MoeException`s of kind `DATA` that name the file and the line. A last line that was
/// being written when the run was killed is left out.
///
/// @param files the run directory
public record RunRecord(RunFiles files) {
  /// The record in a directory.
  ///
  /// @throws MoeException kind `DATA` if it is not a run directory
  public static RunRecord in(Path directory) {
    var files = new RunFiles(directory);
    if (!Files.isDirectory(directory)) {
      throw noRun(directory, Files.exists(directory) ? "not a directory" : "no such directory");
    }
    if (!Files.isRegularFile(files.summary())) {
      throw noRun(directory, "no run directory: it holds no " + files.summary().getFileName());
    }
    return new RunRecord(files);
  }

  private static MoeException noRun(Path directory, String problem) {
    return new MoeException(
        ErrorKind.DATA,
        "%s: %s; name the directory that moe-engine run wrote, for example runs/distilgpt2-moe"
            .formatted(directory, problem));
  }

  /// What ran and how far it came.
  public RunSummary summary() {
    return SummaryJson.read(files.summary().toString(), LineFile.content(files.summary()));
  }

  /// Hands over the steps in order, one at a time.
  public void steps(Consumer<StepMetrics> use) {
    if (!Files.exists(files.metrics())) {
      return;
    }
    var last = new AtomicInteger();
    LineFile.read(
        files.metrics(),
        (place, line, _) -> {
          StepMetrics step = StepJson.step(place, line);
          if (step.step() <= last.getAndSet(step.step())) {
            throw JsonIn.damaged(place, "step %d out of order".formatted(step.step()), null);
          }
          use.accept(step);
          return true;
        });
  }

  /// The looks at the held-out text, in order.
  public List<HeldOutMetrics> heldOut() {
    var results = new ArrayList<HeldOutMetrics>();
    if (Files.exists(files.heldOut())) {
      LineFile.read(
          files.heldOut(),
          (place, line, _) -> {
            HeldOutMetrics result = StepJson.heldOut(place, line);
            if (!results.isEmpty() && result.step() < results.getLast().step()) {
              throw JsonIn.damaged(place, "step %d out of order".formatted(result.step()), null);
            }
            return results.add(result);
          });
    }
    return results;
  }

  /// The windows of the energy meter, in order.
  public List<EnergyWindow> energy() {
    var windows = new ArrayList<EnergyWindow>();
    if (Files.exists(files.energy())) {
      LineFile.read(
          files.energy(), (place, line, _) -> windows.add(EnergyJson.window(place, line)));
    }
    return windows;
  }

  /// The tokens that characterise the experts; empty if the run did not come so far.
  public List<ExpertProfile> experts() {
    return Files.exists(files.experts())
        ? ExpertJson.read(files.experts().toString(), LineFile.content(files.experts()))
        : List.of();
  }
}
