package moe.backend.tests;

import java.util.function.UnaryOperator;

/// Gradients of double-precision references by central differences.
public final class Numeric {
  private static final double STEP = 1e-5;

  private Numeric() {}

  /// `Σ_j dOut[j] · ∂out[j]/∂in[i]` for each i. Errors are near 1e-9: a step squared, and the
  /// rounding of a double over a step.
  public static double[] gradient(UnaryOperator<double[]> function, double[] in, double[] dOut) {
    double[] gradient = new double[in.length];
    double[] moved = in.clone();
    for (int i = 0; i < in.length; i++) {
      moved[i] = in[i] + STEP;
      double[] up = function.apply(moved);
      moved[i] = in[i] - STEP;
      double[] down = function.apply(moved);
      moved[i] = in[i];
      double sum = 0;
      for (int j = 0; j < dOut.length; j++) {
        sum += dOut[j] * (up[j] - down[j]);
      }
      gradient[i] = sum / (2 * STEP);
    }
    return gradient;
  }

  /// `a + b`, element by element.
  public static double[] plus(double[] a, double[] b) {
    double[] sum = a.clone();
    for (int i = 0; i < a.length; i++) {
      sum[i] += b[i];
    }
    return sum;
  }
}
