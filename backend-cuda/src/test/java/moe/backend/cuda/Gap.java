package moe.backend.cuda;

/// How far numbers are from those expected.
///
/// @param difference squared norm of the difference
/// @param norm squared norm of what was expected
public record Gap(double difference, double norm) {
  /// Of no numbers.
  public static final Gap NONE = new Gap(0, 0);

  /// Of these numbers.
  public static Gap of(float[] actual, double[] expected) {
    if (actual.length != expected.length) {
      throw new AssertionError("%d numbers, not %d".formatted(actual.length, expected.length));
    }
    Gap gap = NONE;
    for (int i = 0; i < actual.length; i++) {
      gap = gap.plus(actual[i], expected[i]);
    }
    return gap;
  }

  /// Of one number more.
  Gap plus(double actual, double expected) {
    double off = actual - expected;
    return new Gap(difference + off * off, norm + expected * expected);
  }

  /// Both gaps as one.
  public Gap plus(Gap other) {
    return new Gap(difference + other.difference, norm + other.norm);
  }

  /// The norm of the difference by that of what was expected; NaN if a number is.
  public double relative() {
    return norm == 0 ? Math.sqrt(difference) : Math.sqrt(difference / norm);
  }
}
