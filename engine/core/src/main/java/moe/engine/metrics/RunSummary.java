package moe.engine.metrics;

/// What ran, how far it came and why it ended: `summary.json`.
///
/// Written when the run starts (ending `RUNNING`), at each checkpoint and at the end, so that a
/// killed run still has a report.
///
/// @param name `pipeline.name`
/// @param pipeline the resolved pipeline file
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
    String pipeline) {
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
        pipeline);
  }
}
