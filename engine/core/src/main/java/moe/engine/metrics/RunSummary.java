package moe.engine.metrics;

import java.util.Optional;

/// What ran, how far it came and why it ended: `summary.json`.
///
/// Written when the run starts (ending `RUNNING`), at each checkpoint and at the end, so that a
/// killed run still has a report.
///
/// @param name `pipeline.name`
/// @param pipeline the resolved pipeline file
/// @param energy what was measured of it; empty without a meter
public record RunSummary(
    String name,
    Ending ending,
    Course course,
    HeldOutSummary heldOut,
    ModelFacts model,
    TextFacts text,
    Execution execution,
    MachineFacts machine,
    Versions versions,
    String pipeline,
    Optional<EnergySummary> energy) {
  /// A run whose energy is not measured, or not yet.
  public RunSummary(
      String name,
      Ending ending,
      Course course,
      HeldOutSummary heldOut,
      ModelFacts model,
      TextFacts text,
      Execution execution,
      MachineFacts machine,
      Versions versions,
      String pipeline) {
    this(
        name,
        ending,
        course,
        heldOut,
        model,
        text,
        execution,
        machine,
        versions,
        pipeline,
        Optional.empty());
  }

  /// The same run, further on.
  public RunSummary at(Ending newEnding, Course newCourse, HeldOutSummary newHeldOut) {
    return new RunSummary(
        name,
        newEnding,
        newCourse,
        newHeldOut,
        model,
        text,
        execution,
        machine,
        versions,
        pipeline,
        energy);
  }

  /// The same run with what was measured of its energy.
  public RunSummary with(Optional<EnergySummary> measured) {
    return new RunSummary(
        name, ending, course, heldOut, model, text, execution, machine, versions, pipeline,
        measured);
  }
}
