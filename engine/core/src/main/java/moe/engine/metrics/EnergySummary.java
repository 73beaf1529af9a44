package moe.engine.metrics;

import java.util.Optional;
import java.util.OptionalDouble;

/// What a meter said of the steps of a run, over windows at least as long as its refresh.
///
/// @param method of the meter, for example `NVML total energy counter, NVIDIA H200`
/// @param estimated whether nothing was measured and a roofline stands for it
/// @param windows that count
/// @param idleWatts power before the first step
/// @param averageWatts energy over time of all windows
/// @param peakWatts the largest mean power of a window
/// @param joulesPerToken mean over windows
/// @param deviation of joules per token between windows; empty for one window
/// @param secondsPerToken over all windows
/// @param fit of the model of a step
public record EnergySummary(
    String method,
    boolean estimated,
    int windows,
    OptionalDouble idleWatts,
    double averageWatts,
    double peakWatts,
    double joulesPerToken,
    OptionalDouble deviation,
    double secondsPerToken,
    Optional<EnergyFit> fit) {
  public EnergySummary {
    Check.least("windows", windows, 1);
  }

  /// Joules per token beyond what passes while nothing is done.
  public OptionalDouble netJoulesPerToken() {
    return idleWatts.isPresent()
        ? OptionalDouble.of(joulesPerToken - idleWatts.getAsDouble() * secondsPerToken)
        : OptionalDouble.empty();
  }

  /// Tokens a second for each watt, which is tokens per joule.
  public double tokensPerSecondPerWatt() {
    return 1 / secondsPerToken / averageWatts;
  }

  /// Energy-delay product of a token, in joule seconds.
  public double energyDelay() {
    return joulesPerToken * secondsPerToken;
  }
}
