package moe.engine.metrics;

import java.util.OptionalDouble;
import java.util.OptionalLong;

/// What a step reads from meters and from a router that trains at test time; a missing meter has no
/// value, never 0.
///
/// @param tttUpdates updates of fast weights in this step
/// @param tttChange how far these updates moved the fast weights, summed over layers
/// @param watts mean power of the meter's last window that ended by the end of this step
public record Meters(OptionalLong tttUpdates, OptionalDouble tttChange, OptionalDouble watts) {
  /// No meter, no updates at test time.
  public static final Meters NONE =
      new Meters(OptionalLong.empty(), OptionalDouble.empty(), OptionalDouble.empty());

  /// The same with this power.
  public Meters at(OptionalDouble power) {
    return new Meters(tttUpdates, tttChange, power);
  }
}
