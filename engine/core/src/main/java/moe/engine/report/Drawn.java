package moe.engine.report;

import org.jspecify.annotations.Nullable;

/// Numbers as charts take them.
final class Drawn {
  private Drawn() {}

  /// The value with six digits, which no eye tells from all; null, a gap, if it is not finite.
  static @Nullable Double orGap(double value) {
    return Double.isFinite(value) ? Double.valueOf(rounded(value)) : null;
  }

  static double rounded(double value) {
    if (value == 0) {
      return 0;
    }
    double unit = Math.pow(10, 5 - Math.floor(Math.log10(Math.abs(value))));
    double scaled = Math.round(value * unit) / unit;
    return Double.isFinite(scaled) ? scaled : value;
  }
}
