package moe.engine.bench;

/// The distance of two results, relative to the size of the expected one: `‖actual − expected‖ /
/// ‖expected‖` in double precision; NaN if either holds a NaN.
public final class RelativeError {
  private double difference;
  private double norm;

  RelativeError() {}

  /// Of all values at once.
  public static double of(float[] actual, float[] expected) {
    if (actual.length != expected.length) {
      throw new IllegalArgumentException(
          "%d values compared with %d".formatted(actual.length, expected.length));
    }
    RelativeError error = new RelativeError();
    for (int i = 0; i < actual.length; i++) {
      error.add(actual[i], expected[i]);
    }
    return error.value();
  }

  /// Counts one more value.
  void add(double actual, double expected) {
    double d = actual - expected;
    difference += d * d;
    norm += expected * expected;
  }

  /// Over the values so far.
  double value() {
    return difference == 0 ? 0 : Math.sqrt(difference / norm);
  }
}
