package moe.engine.oracle;

import java.util.Arrays;

/// `e^x / Σ e^x`, and `log Σ e^x`.
final class Softmax {
  static double[] of(double[] x) {
    double most = Arrays.stream(x).max().orElseThrow();
    double[] y = Arrays.stream(x).map(v -> Math.exp(v - most)).toArray();
    double sum = Arrays.stream(y).sum();
    return Arrays.stream(y).map(v -> v / sum).toArray();
  }

  static double logSum(double[] x) {
    double most = Arrays.stream(x).max().orElseThrow();
    return most + Math.log(Arrays.stream(x).map(v -> Math.exp(v - most)).sum());
  }

  private Softmax() {}
}
