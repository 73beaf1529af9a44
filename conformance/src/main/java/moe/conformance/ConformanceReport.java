package moe.conformance;

import java.util.List;
import java.util.Map;
import moe.conformance.rule.Level;
import moe.conformance.trial.Feature;
import moe.conformance.trial.Standing;
import moe.spi.device.Compute;
import moe.spi.device.DeviceInfo;

/// What became of all rules on one device.
///
/// @param precision the format in which products multiplied, which decides what errors are
///   tolerated
/// @param standings what was measured of each feature
public record ConformanceReport(
    DeviceInfo device,
    Compute precision,
    List<RuleResult> results,
    Map<Feature, Standing> standings) {
  public ConformanceReport {
    results = List.copyOf(results);
  }

  /// Whether every rule that a backend is held to was tried and holds.
  public boolean conforms() {
    return results.stream()
        .filter(result -> result.rule().level() == Level.MUST)
        .allMatch(result ->
            switch (result.outcome()) {
              case Outcome.Held _, Outcome.NotClaimed _ -> true;
              case Outcome.Broken _, Outcome.Skipped _ -> false;
            });
  }

  /// How many rules became this.
  public long count(Class<? extends Outcome> outcome) {
    return results.stream().filter(result -> outcome.isInstance(result.outcome())).count();
  }
}
