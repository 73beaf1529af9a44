package moe.engine.metrics;

import java.util.OptionalDouble;
import java.util.OptionalLong;

/// What a step reads from meters and from a router that trains at test time; a missing meter has no
/// value, never 0.
///
/// @param tttUpdates updates of fast weights in this step
/// @param watts mean power during this step
public record Meters(OptionalLong tttUpdates, OptionalDouble watts) {
  /// No meter, no updates at test time.
  public static final Meters NONE = new Meters(OptionalLong.empty(), OptionalDouble.empty());
}
