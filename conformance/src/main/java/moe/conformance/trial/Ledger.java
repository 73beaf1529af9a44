package moe.conformance.trial;

import java.util.Map;
import java.util.TreeMap;

/// What the rules found out about each feature of a backend.
public final class Ledger {
  private final Map<Feature, Standing> standings = new TreeMap<>();

  /// The features in the order in which a table lists them.
  public Map<Feature, Standing> standings() {
    return new TreeMap<>(standings);
  }

  /// What is wrong stays wrong, and what works in one case and is refused in another works.
  void enter(Feature feature, Standing found) {
    standings.merge(feature, found, Ledger::worse);
  }

  private static Standing worse(Standing before, Standing found) {
    return switch (before) {
      case Standing.Wrong _ -> before;
      case Standing.Refused _ -> found;
      case Standing.Right(double error, double tolerance) ->
          switch (found) {
            case Standing.Wrong _ -> found;
            case Standing.Refused _ -> before;
            case Standing.Right(double other, double _) ->
                new Standing.Right(Math.max(error, other), tolerance);
          };
    };
  }
}
