package moe.engine.train;

import java.util.OptionalDouble;
import java.util.OptionalLong;
import moe.engine.metrics.Meters;
import moe.engine.model.Adaptations;
import moe.spi.stage.Adaptation;

/// Counts what routers learn while they are used in one step.
///
/// @param before what they had learnt at its start
public record TttMeter(Adaptations adaptations, Adaptation.Progress before) {
  /// Begins a step.
  public static TttMeter start(Adaptations adaptations) {
    return new TttMeter(adaptations, adaptations.progress());
  }

  /// What was learnt since; nothing where no router learns.
  public Meters meters() {
    if (!adaptations.present()) {
      return Meters.NONE;
    }
    Adaptation.Progress now = adaptations.progress();
    return new Meters(
        OptionalLong.of(now.updates() - before.updates()),
        OptionalDouble.of(now.distance() - before.distance()),
        OptionalDouble.empty());
  }
}
