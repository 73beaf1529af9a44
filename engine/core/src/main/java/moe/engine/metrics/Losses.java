package moe.engine.metrics;

import java.util.OptionalDouble;

/// The terms of a step's loss, in nats; a term that is not part of the loss has no value.
///
/// A diverging run may hold NaN or infinities.
///
/// @param crossEntropy mean over the predicted tokens
/// @param balance Switch balance loss, as it is added
/// @param z router z-loss, as it is added
public record Losses(double crossEntropy, OptionalDouble balance, OptionalDouble z) {
  /// A loss of cross-entropy alone.
  public static Losses of(double crossEntropy) {
    return new Losses(crossEntropy, OptionalDouble.empty(), OptionalDouble.empty());
  }

  /// The sum that the gradients belong to.
  public double total() {
    return crossEntropy + balance.orElse(0) + z.orElse(0);
  }
}
