package moe.engine.metrics;

import java.util.Collections;
import java.util.EnumMap;
import java.util.Map;

/// How long a step took.
///
/// @param tokens input tokens of the step
/// @param totalMillis wall-clock milliseconds from the batch to the end of the update
/// @param phaseMillis milliseconds of the phases that were timed
public record StepTimes(long tokens, double totalMillis, Map<Phase, Double> phaseMillis) {
  public StepTimes {
    Check.least("tokens", tokens, 0);
    Check.duration("totalMillis", totalMillis);
    var copy = new EnumMap<Phase, Double>(Phase.class);
    phaseMillis.forEach((phase, millis) -> copy.put(phase, Check.duration(phase.key(), millis)));
    phaseMillis = Collections.unmodifiableMap(copy);
  }

  /// Tokens per second; 0 if no time passed.
  public double tokensPerSecond() {
    return totalMillis > 0 ? tokens * 1e3 / totalMillis : 0;
  }

  /// Milliseconds that no phase accounts for, at least 0.
  public double otherMillis() {
    double timed = phaseMillis.values().stream().mapToDouble(Double::doubleValue).sum();
    return Math.max(0, totalMillis - timed);
  }
}
