package moe.engine.compare;

import java.util.OptionalDouble;

/// One turn of an arm.
///
/// @param steps made
/// @param tokens input tokens of these
/// @param seconds it took
/// @param joules it used; empty without a meter
/// @param distinctExperts read in a step, mean over layers and steps
/// @param expertsPerToken mean over tokens, layers and steps
/// @param updates of fast weights
public record Turn(
    int steps,
    long tokens,
    double seconds,
    OptionalDouble joules,
    double distinctExperts,
    double expertsPerToken,
    long updates) {
  double millisPerStep() {
    return seconds * 1e3 / steps;
  }

  double tokensPerSecond() {
    return tokens / seconds;
  }

  /// NaN without a meter.
  double joulesPerToken() {
    return joules.orElse(Double.NaN) / tokens;
  }
}
