package moe.engine.metrics;

import java.util.List;
import java.util.Optional;

/// One window of an energy meter: a line of `energy.jsonl`.
///
/// @param step the last step in it
/// @param steps how many
/// @param seconds its length
/// @param joules used in it
/// @param tokens input tokens of its steps
/// @param fit of the model so far
/// @param relativeCosts of a token at each expert in the last step, mean over layers; empty until
///   there is a fit
public record EnergyWindow(
    int step,
    int steps,
    double seconds,
    double joules,
    long tokens,
    Optional<EnergyFit> fit,
    List<Double> relativeCosts) {
  public EnergyWindow {
    relativeCosts = List.copyOf(relativeCosts);
  }

  /// Mean power.
  public double watts() {
    return joules / seconds;
  }

  /// Energy of a token.
  public double joulesPerToken() {
    return joules / tokens;
  }
}
