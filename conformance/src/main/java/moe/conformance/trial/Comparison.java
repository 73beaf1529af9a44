package moe.conformance.trial;

import moe.conformance.reference.Bounded;
import moe.spi.device.Shape;

/// Compares results with the reference, element by element.
///
/// The error of an element is relative to the sum of the absolute values of its terms. NaN is right
/// only where the reference is NaN, an infinity only where it is the same one.
public final class Comparison {
  private Comparison() {}

  /// The largest error of all elements.
  ///
  /// @throws Violation if an element is further away than tolerated
  static double largestError(
      String what, double[] actual, Shape shape, Bounded expected, double tolerance) {
    if (actual.length != expected.values().length) {
      throw new Violation(
          "%s has %d elements, not %d".formatted(what, actual.length, expected.values().length));
    }
    double largest = 0;
    for (int i = 0; i < actual.length; i++) {
      double error = error(actual[i], expected.values()[i], expected.magnitudes()[i]);
      if (!(error <= tolerance)) {
        throw new Violation(
            "%s%s is %s, must be %s: relative error %.1e, tolerated %.1e"
                .formatted(
                    what,
                    coordinates(shape, i),
                    (float) actual[i],
                    (float) expected.values()[i],
                    error,
                    tolerance));
      }
      largest = Math.max(largest, error);
    }
    return largest;
  }

  private static double error(double actual, double expected, double magnitude) {
    if (Double.isNaN(expected)) {
      return Double.isNaN(actual) ? 0 : Double.POSITIVE_INFINITY;
    }
    if (actual == expected) {
      return 0;
    }
    return Math.abs(actual - expected) / magnitude;
  }

  /// For example `[2, 5]`.
  static String coordinates(Shape shape, long element) {
    StringBuilder text = new StringBuilder("]");
    long rest = element;
    for (int i = shape.rank() - 1; i >= 0; i--) {
      text.insert(0, rest % shape.dim(i)).insert(0, i == 0 ? "" : ", ");
      rest /= shape.dim(i);
    }
    return text.insert(0, "[").toString();
  }
}
