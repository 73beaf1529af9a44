package moe.engine.compare;

/// A mean with its standard deviation over repeats.
///
/// @param deviation of the repeats; NaN for one
/// @param repeats how many
public record Spread(double mean, double deviation, int repeats) {
  /// How many deviations a difference has to exceed to count as one.
  private static final double BEYOND = 2;

  /// Of these values, at least one.
  static Spread of(double... values) {
    double sum = 0;
    for (double value : values) {
      sum += value;
    }
    double mean = sum / values.length;
    double squares = 0;
    for (double value : values) {
      squares += (value - mean) * (value - mean);
    }
    return new Spread(
        mean,
        values.length < 2 ? Double.NaN : Math.sqrt(squares / (values.length - 1)),
        values.length);
  }

  /// The mean of paired differences, with the deviation that such a mean has.
  static Spread ofMean(double... differences) {
    Spread spread = of(differences);
    return new Spread(
        spread.mean(), spread.deviation() / Math.sqrt(differences.length), spread.repeats());
  }

  /// Whether it differs from a value by more than its noise; never for one repeat, whose noise is
  /// not known.
  boolean differsFrom(double value) {
    return Math.abs(mean - value) > BEYOND * deviation;
  }
}
