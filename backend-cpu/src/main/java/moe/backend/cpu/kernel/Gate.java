package moe.backend.cpu.kernel;

/// The constants of an activation `x / (1 + e^z)` with `z = x·(linear + cubic·x²)`.
///
/// @param linear of z
/// @param cubic of z
/// @param limit |x| beyond which the sigmoid is 0 or 1 to within 1e-25, and up to which `e^z` is
///   within the floats; x is held at −limit below it, so that large negative numbers go to 0
record Gate(float linear, float cubic, float limit) {
  private static final double ROOT = Math.sqrt(2 / Math.PI);

  /// GPT-2's `gelu_new`: `½·(1 + tanh u)` is the sigmoid of `2u = 2·√(2/π)·(x + 0.044715·x³)`.
  static final Gate GELU = new Gate((float) (-2 * ROOT), (float) (-2 * ROOT * 0.044715), 9);

  /// `x · sigmoid(x)`.
  static final Gate SILU = new Gate(-1, 0, 80);

  /// The activation in double.
  float forward(float x) {
    double v = Math.clamp((double) x, -limit, limit);
    return (float) (Math.max((double) x, -limit) / (1 + Math.exp(z(v))));
  }

  /// Its derivative.
  float derivative(float x) {
    double v = Math.clamp((double) x, -limit, limit);
    double e = Math.exp(z(v));
    double s = 1 / (1 + e);
    return (float) (s - v * (linear + 3 * cubic * v * v) * s * e * s);
  }

  private double z(double x) {
    return x * (linear + cubic * x * x);
  }
}
