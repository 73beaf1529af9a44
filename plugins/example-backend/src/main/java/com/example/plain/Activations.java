package com.example.plain;

import moe.spi.device.Activation;

/// The element-wise functions and their derivatives.
final class Activations {
  private static final double ROOT = Math.sqrt(2 / Math.PI);

  private Activations() {}

  static float of(Activation activation, float x) {
    return switch (activation) {
      case NONE -> x;
      case GELU -> (float) (0.5 * x * (1 + Math.tanh(ROOT * (x + 0.044715 * x * x * (double) x))));
      case SILU -> (float) (x / (1 + Math.exp(-x)));
      case RELU -> Math.max(x, 0); // Math.max keeps NaN
    };
  }

  static float derivative(Activation activation, double x) {
    return switch (activation) {
      case NONE -> 1;
      case GELU -> {
        double t = Math.tanh(ROOT * (x + 0.044715 * x * x * x));
        double inner = ROOT * (1 + 3 * 0.044715 * x * x);
        yield (float) (0.5 * (1 + t) + 0.5 * x * (1 - t * t) * inner);
      }
      case SILU -> {
        double s = 1 / (1 + Math.exp(-x));
        yield (float) (s * (1 + x * (1 - s)));
      }
      case RELU -> x > 0 ? 1 : 0;
    };
  }
}
