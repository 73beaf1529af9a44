package moe.conformance.reference;

/// Right results, with what rounding errors are to be measured against.
///
/// @param values the results
/// @param magnitudes for each the sum of the absolute values of its terms: an error of rounding is
///   relative to that sum, not to a result that may be a small difference of large terms; Higham,
///   Accuracy and Stability of Numerical Algorithms, 3.1
@SuppressWarnings("ArrayRecordComponent") // for plain loops; never compared
public record Bounded(double[] values, double[] magnitudes) {
  /// 32 roundings to float32 of 2⁻²⁴ each, relative to a magnitude. The CPU backend measures up to
  /// 3.3e-7 over all rules (the gradient of crossEntropy, with vectors); 4 times that is left for
  /// other orders of sums.
  public static final double FLOAT32 = 32 * 0x1p-24;

  public Bounded {
    if (values.length != magnitudes.length) {
      throw new IllegalArgumentException("one magnitude for each value");
    }
  }

  /// Results that are their own magnitudes.
  public static Bounded of(double[] values) {
    double[] magnitudes = new double[values.length];
    for (int i = 0; i < values.length; i++) {
      magnitudes[i] = Math.abs(values[i]);
    }
    return new Bounded(values, magnitudes);
  }

  /// These results added to what was there before.
  public Bounded addedTo(double[] before) {
    double[] sums = values.clone();
    double[] sizes = magnitudes.clone();
    for (int i = 0; i < sums.length; i++) {
      sums[i] += before[i];
      sizes[i] += Math.abs(before[i]);
    }
    return new Bounded(sums, sizes);
  }

  /// These results multiplied by a factor.
  public Bounded times(double factor) {
    double[] products = values.clone();
    double[] sizes = magnitudes.clone();
    for (int i = 0; i < products.length; i++) {
      products[i] *= factor;
      sizes[i] *= Math.abs(factor);
    }
    return new Bounded(products, sizes);
  }
}
