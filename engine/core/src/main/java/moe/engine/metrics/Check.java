package moe.engine.metrics;

/// Conditions that the records of this package put on themselves.
final class Check {
  private Check() {}

  static long least(String name, long value, long least) {
    if (value < least) {
      throw new IllegalArgumentException(
          "%s = %d: must be at least %d".formatted(name, value, least));
    }
    return value;
  }

  /// A finite number of milliseconds or seconds, 0 or more.
  static double duration(String name, double value) {
    if (!(value >= 0) || Double.isInfinite(value)) {
      throw new IllegalArgumentException(
          "%s = %s: must be 0 or more, and finite".formatted(name, value));
    }
    return value;
  }

  static double within(String name, double value, double least, double most) {
    if (!(value >= least && value <= most)) {
      throw new IllegalArgumentException(
          "%s = %s: must be between %s and %s".formatted(name, value, least, most));
    }
    return value;
  }
}
