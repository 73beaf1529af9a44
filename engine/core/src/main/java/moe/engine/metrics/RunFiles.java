package moe.engine.metrics;

import java.nio.file.Path;

/// The names of the files in a run directory.
///
/// @param directory the run directory
public record RunFiles(Path directory) {
  /// The pipeline file as it was resolved.
  public Path pipeline() {
    return directory.resolve("pipeline.toml");
  }

  /// One JSON object per step.
  public Path metrics() {
    return directory.resolve("metrics.jsonl");
  }

  /// One JSON object per look at the held-out text.
  public Path heldOut() {
    return directory.resolve("held-out.jsonl");
  }

  /// The steps as a table.
  public Path csv() {
    return directory.resolve("metrics.csv");
  }

  /// One JSON object per window of the energy meter; missing without one.
  public Path energy() {
    return directory.resolve("energy.jsonl");
  }

  /// What ran, how far and why it ended.
  public Path summary() {
    return directory.resolve("summary.json");
  }

  /// The tokens that characterise each expert.
  public Path experts() {
    return directory.resolve("experts.json");
  }

  /// The page that shows all of it.
  public Path report() {
    return directory.resolve("report.html");
  }
}
