package moe.backend.tests;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;

/// Comparison with a reference in double precision: `‖actual − expected‖ ≤ tolerance · ‖expected‖`.
public final class Close {
  /// Rounding of float32 sums of up to some thousand terms is near 1e-7 of the norm here; four
  /// times the largest seen.
  public static final double SUMS = 1e-6;

  private Close() {}

  public static void assertClose(
      String name, double[] actual, double[] expected, double tolerance) {
    assertThat(actual).as(name).hasSameSizeAs(expected);
    double difference = 0;
    double squares = 0;
    for (int i = 0; i < actual.length; i++) {
      difference += (actual[i] - expected[i]) * (actual[i] - expected[i]);
      squares += expected[i] * expected[i];
    }
    double error = Math.sqrt(difference);
    double norm = Math.sqrt(squares);
    // Written so that NaN fails.
    assertThat(error <= tolerance * norm)
        .as(() ->
            "%s: relative error %.3e, tolerated %.1e; actual %s, expected %s"
                .formatted(name, error / norm, tolerance, start(actual), start(expected)))
        .isTrue();
  }

  private static String start(double[] values) {
    return Arrays.toString(Arrays.copyOf(values, Math.min(8, values.length)));
  }
}
