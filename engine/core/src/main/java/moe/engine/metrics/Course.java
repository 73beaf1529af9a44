package moe.engine.metrics;

import java.time.Instant;
import java.util.OptionalLong;

/// How far a run came.
///
/// @param training whether it trained; else it evaluated
/// @param started when the run began, for a resumed one the first time
/// @param steps steps (or batches) done, over all parts of a resumed run
/// @param plannedSteps steps that the pipeline file asks for
/// @param tokens input tokens of these steps
/// @param seconds wall-clock time of all parts, from the first step on
/// @param peakMemoryBytes the most memory the process held, where the system tells
public record Course(
    boolean training,
    Instant started,
    int steps,
    int plannedSteps,
    long tokens,
    double seconds,
    OptionalLong peakMemoryBytes) {
  public Course {
    Check.least("steps", steps, 0);
    Check.least("plannedSteps", plannedSteps, 0);
    Check.least("tokens", tokens, 0);
    Check.duration("seconds", seconds);
  }
}
