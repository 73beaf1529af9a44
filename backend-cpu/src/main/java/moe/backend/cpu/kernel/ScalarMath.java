package moe.backend.cpu.kernel;

/// The functions of `VectorMath` on single floats, computed in double.
final class ScalarMath {
  private ScalarMath() {}

  /// `e^x`.
  static float exp(float x) {
    return (float) Math.exp(x);
  }

  /// The hyperbolic tangent.
  static float tanh(float x) {
    return (float) Math.tanh(x);
  }

  /// `1 / (1 + e^−x)`.
  static float sigmoid(float x) {
    return (float) (1 / (1 + Math.exp(-x)));
  }
}
