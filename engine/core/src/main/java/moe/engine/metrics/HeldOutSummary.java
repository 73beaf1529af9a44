package moe.engine.metrics;

import java.util.Comparator;
import java.util.List;
import java.util.Optional;

/// The held-out results of a run in short; empty where the text was never looked at.
///
/// @param first the earliest
/// @param best the one with the smallest loss; NaN is never the best
/// @param last the latest
/// @param baselines what to compare with
public record HeldOutSummary(
    Optional<HeldOutMetrics> first,
    Optional<HeldOutMetrics> best,
    Optional<HeldOutMetrics> last,
    Baselines baselines) {
  /// From all results in order.
  public static HeldOutSummary of(List<HeldOutMetrics> results, Baselines baselines) {
    return new HeldOutSummary(
        results.stream().findFirst(),
        results.stream()
            .filter(result -> !Double.isNaN(result.loss()))
            .min(Comparator.comparingDouble(HeldOutMetrics::loss)),
        results.isEmpty() ? Optional.empty() : Optional.of(results.getLast()),
        baselines);
  }
}
