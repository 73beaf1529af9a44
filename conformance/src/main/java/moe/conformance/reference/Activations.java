package moe.conformance.reference;

import moe.spi.device.Activation;

/// The element-wise functions and their derivatives.
public final class Activations {
  private static final double ROOT = Math.sqrt(2 / Math.PI);
  private static final double CUBIC = 0.044715;

  private Activations() {}

  /// `f(x)`.
  public static double of(Activation activation, double x) {
    return switch (activation) {
      case NONE -> x;
      case GELU -> 0.5 * x * (1 + Math.tanh(inner(x)));
      case SILU -> x == Double.NEGATIVE_INFINITY ? 0 : x / (1 + Math.exp(-x));
      case RELU -> Double.isNaN(x) ? x : Math.max(x, 0);
    };
  }

  /// `f′(x)`; 0 for the kink of RELU.
  public static double derivative(Activation activation, double x) {
    return switch (activation) {
      case NONE -> 1;
      case GELU -> {
        double t = Math.tanh(inner(x));
        yield 0.5 * (1 + t) + 0.5 * x * (1 - t * t) * ROOT * (1 + 3 * CUBIC * x * x);
      }
      case SILU -> {
        double s = 1 / (1 + Math.exp(-x));
        yield s * (1 + x * (1 - s));
      }
      case RELU -> x > 0 ? 1 : 0;
    };
  }

  /// How much an error of `x`, relative to `magnitude`, moves `f′(x)` at most.
  ///
  /// @param error the largest there may be: so near the kink of RELU either slope is right
  public static double sensitivity(
      Activation activation, double x, double magnitude, double error) {
    return switch (activation) {
      case NONE -> 0;
      case GELU, SILU -> magnitude; // |f″| < 1.2 for both
      case RELU -> Math.abs(x) < error * magnitude ? 1 / error : 0;
    };
  }

  private static double inner(double x) {
    return ROOT * (x + CUBIC * x * x * x);
  }
}
