package moe.engine.metrics;

import java.util.OptionalDouble;

/// What the optimizer did in a step; no values where nothing is trained.
///
/// @param gradientNorm of all gradients together, before clipping
/// @param learningRate of this step
public record Update(OptionalDouble gradientNorm, OptionalDouble learningRate) {
  /// Nothing was trained.
  public static final Update NONE = new Update(OptionalDouble.empty(), OptionalDouble.empty());

  /// An update with both values.
  public static Update of(double gradientNorm, double learningRate) {
    return new Update(OptionalDouble.of(gradientNorm), OptionalDouble.of(learningRate));
  }
}
