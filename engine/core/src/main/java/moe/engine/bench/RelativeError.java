package moe.engine.bench;

/// The distance of two results, relative to the size of the expected one.
public final class RelativeError {
  private RelativeError() {}

  /// `‖actual − expected‖ / ‖expected‖` in double precision; NaN if either holds a NaN.
  public static double of(float[] actual, float[] expected) {
    if (actual.length != expected.length) {
      throw new IllegalArgumentException(
          "%d values compared with %d".formatted(actual.length, expected.length));
    }
    double difference = 0;
    double norm = 0;
    for (int i = 0; i < actual.length; i++) {
      double d = (double) actual[i] - expected[i];
      difference += d * d;
      norm += (double) expected[i] * expected[i];
    }
    return difference == 0 ? 0 : Math.sqrt(difference / norm);
  }
}
