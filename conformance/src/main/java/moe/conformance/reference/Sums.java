package moe.conformance.reference;

/// Sums in the making, each with the sum of its terms' absolute values.
public final class Sums {
  private final double[] values;
  private final double[] magnitudes;

  /// `n` sums of no terms.
  public Sums(int n) {
    values = new double[n];
    magnitudes = new double[n];
  }

  /// Adds a term to one sum.
  public void add(int index, double term) {
    add(index, term, Math.abs(term));
  }

  /// Adds a term that itself has a larger magnitude.
  public void add(int index, double term, double magnitude) {
    values[index] += term;
    magnitudes[index] += magnitude;
  }

  /// One sum.
  public double value(int index) {
    return values[index];
  }

  /// One sum of absolute values.
  public double magnitude(int index) {
    return magnitudes[index];
  }

  /// The sums as they are now.
  public Bounded bounded() {
    return new Bounded(values.clone(), magnitudes.clone());
  }
}
