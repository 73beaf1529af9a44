package moe.backend.tests;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import java.util.function.DoubleUnaryOperator;
import moe.spi.device.Activation;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/// Operations on tensors of equal size against a reference in double precision.
public abstract class ElementwiseContract implements Place {
  /// Sizes around vectors and tasks.
  private static final int[] SIZES = {0, 1, 5, 31, 33, 4095, 40_001};

  @ParameterizedTest
  @CsvSource({
    "MAIN, NONE", "MAIN, GELU", "MAIN, SILU", "MAIN, RELU",
    "OTHER, NONE", "OTHER, GELU", "OTHER, SILU", "OTHER, RELU"
  })
  void activatesAndDifferentiatesInPlaceToo(Way way, Activation activation) {
    for (int n : SIZES) {
      try (Workplace at = open(way)) {
        var x = at.random(n);
        var y = at.garbage(n);
        at.ops.activate(activation, x, y, at.stream);
        at.assertClose("y", y, mapped(at.numbers(x), v -> value(activation, v)), Close.SUMS);

        var dY = at.random(n);
        var dX = at.garbage(n);
        double[] expected =
            mapped(
                at.numbers(x),
                v -> (value(activation, v + 1e-6) - value(activation, v - 1e-6)) / 2e-6);
        double[] factors = at.numbers(dY);
        for (int i = 0; i < n; i++) {
          expected[i] *= factors[i];
        }
        at.ops.activateBackward(activation, x, dY, dX, at.stream);
        at.assertClose("dX", dX, expected, Close.SUMS);

        at.ops.activateBackward(activation, x, dY, dY, at.stream);
        assertThat(at.numbers(dY)).isEqualTo(at.numbers(dX));
        at.ops.activate(activation, x, x, at.stream);
        assertThat(at.numbers(x)).isEqualTo(at.numbers(y));
      }
    }
  }

  @ParameterizedTest
  @EnumSource
  void addsAndMultipliesInPlaceToo(Way way) {
    for (int n : SIZES) {
      try (Workplace at = open(way)) {
        var a = at.random(n);
        var b = at.random(n);
        double[] as = at.numbers(a);
        double[] bs = at.numbers(b);
        double[] sum = new double[n];
        double[] product = new double[n];
        for (int i = 0; i < n; i++) {
          sum[i] = (float) (as[i] + bs[i]);
          product[i] = (float) (as[i] * bs[i]);
        }
        var out = at.garbage(n);
        at.ops.add(a, b, out, at.stream);
        assertThat(at.numbers(out)).isEqualTo(sum);
        at.ops.multiply(a, b, out, at.stream);
        assertThat(at.numbers(out)).isEqualTo(product);
        at.ops.multiply(a, b, b, at.stream);
        assertThat(at.numbers(b)).isEqualTo(product);
      }
    }
  }

  @ParameterizedTest
  @EnumSource
  void sumsSquaresAndScales(Way way) {
    for (int n : SIZES) {
      try (Workplace at = open(way)) {
        var x = at.random(n);
        double[] before = at.numbers(x);
        var sum = at.garbage(1);
        at.ops.sumOfSquares(x, sum, at.stream);
        double expected = Arrays.stream(before).map(v -> v * v).sum();
        at.assertClose("sum", sum, new double[] {expected}, Close.SUMS);

        at.ops.scale(x, at.floats(0.75), at.stream);
        assertThat(at.numbers(x)).isEqualTo(mapped(before, v -> (float) (0.75 * v)));
      }
    }
  }

  @ParameterizedTest
  @EnumSource
  void copiesAndClears(Way way) {
    for (int n : SIZES) {
      try (Workplace at = open(way)) {
        var a = at.random(n);
        var b = at.garbage(n);
        at.stream.copy(a, b);
        assertThat(at.numbers(b)).isEqualTo(at.numbers(a));
        at.stream.zero(b);
        assertThat(at.numbers(b)).containsOnly(n == 0 ? new double[0] : new double[] {0});
        var ids = at.randomInts(9, n);
        at.stream.zero(ids);
        assertThat(at.numbers(ids)).isEqualTo(new double[n]);
      }
    }
  }

  private static double[] mapped(double[] x, DoubleUnaryOperator function) {
    return Arrays.stream(x).map(function).toArray();
  }

  private static double value(Activation activation, double x) {
    return switch (activation) {
      case NONE -> x;
      case GELU -> 0.5 * x * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x * x * x)));
      case SILU -> x / (1 + Math.exp(-x));
      case RELU -> Math.max(x, 0);
    };
  }
}
