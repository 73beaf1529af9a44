package moe.engine.parity;

import moe.engine.bench.RelativeError;

/// One comparison.
///
/// @param name of the compared tensor
/// @param error `‖ours − reference‖ / ‖reference‖`, or the share of integers that differ
/// @param tolerance the largest error that is ok
public record ParityItem(String name, double error, double tolerance) {
  /// Floating-point tensors of one size.
  static ParityItem floats(String name, float[] ours, float[] reference, double tolerance) {
    return new ParityItem(name, RelativeError.of(ours, reference), tolerance);
  }

  /// Two numbers.
  static ParityItem number(String name, double ours, double reference, double tolerance) {
    return new ParityItem(name, Math.abs(ours - reference) / Math.abs(reference), tolerance);
  }

  /// Integers, of which a share may differ.
  static ParityItem ints(String name, int[] ours, int[] reference, double tolerance) {
    if (ours.length != reference.length) {
      throw new IllegalArgumentException(
          "%d values compared with %d".formatted(ours.length, reference.length));
    }
    int different = 0;
    for (int i = 0; i < ours.length; i++) {
      different += ours[i] == reference[i] ? 0 : 1;
    }
    return new ParityItem(name, (double) different / Math.max(1, ours.length), tolerance);
  }

  /// Whether the error is within the tolerance; never for NaN.
  public boolean ok() {
    return error <= tolerance;
  }
}
