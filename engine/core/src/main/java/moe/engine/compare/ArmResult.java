package moe.engine.compare;

import java.util.List;
import java.util.OptionalDouble;
import java.util.function.ToDoubleFunction;
import moe.spi.error.ErrorKind;

/// What came of an arm.
public sealed interface ArmResult {
  /// The arm.
  Arm arm();

  /// It had all its turns.
  ///
  /// @param where path and backend
  /// @param method of the energy meter, or why there is none
  /// @param idleWatts power while nothing is done
  /// @param losses on each batch of the held-out text, after the last turn
  record Finished(
      Arm arm,
      String where,
      String method,
      OptionalDouble idleWatts,
      List<Turn> turns,
      List<Double> losses)
      implements ArmResult {
    public Finished {
      turns = List.copyOf(turns);
      losses = List.copyOf(losses);
    }

    Spread over(ToDoubleFunction<Turn> value) {
      return Spread.of(turns.stream().mapToDouble(value).toArray());
    }

    /// Whether each turn has joules.
    boolean metered() {
      return turns.stream().allMatch(turn -> turn.joules().isPresent());
    }

    double loss() {
      return losses.stream().mapToDouble(Double::doubleValue).average().orElse(Double.NaN);
    }

    double perplexity() {
      return Math.exp(loss());
    }

    /// Joules per token beyond those of idle power; NaN if that is not known.
    Spread netJoulesPerToken() {
      double idle = idleWatts.orElse(Double.NaN);
      return over(turn -> turn.joulesPerToken() - idle * turn.seconds() / turn.tokens());
    }
  }

  /// It could not be loaded or broke off.
  ///
  /// @param message one line
  record Failed(Arm arm, String message, ErrorKind kind) implements ArmResult {}
}
