package moe.backend.opencl;

import static moe.backend.opencl.Close.assertClose;
import static moe.backend.opencl.Workplace.numbers;
import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import java.util.function.DoubleUnaryOperator;
import moe.spi.device.Activation;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/// Operations on tensors of equal size against a reference in double precision.
class ElementwiseTest {
  /// Sizes around vectors and tasks.
  private static final int[] SIZES = {0, 1, 5, 31, 33, 4095, 40_001};

  @ParameterizedTest
  @CsvSource({
    "PROCESSOR, NONE", "PROCESSOR, GELU", "PROCESSOR, SILU", "PROCESSOR, RELU",
    "GPU, NONE", "GPU, GELU", "GPU, SILU", "GPU, RELU"
  })
  void activatesAndDifferentiatesInPlaceToo(Devices devices, Activation activation) {
    for (int n : SIZES) {
      try (Workplace at = new Workplace(devices)) {
        var x = at.random(n);
        var y = at.garbage(n);
        at.ops.activate(activation, x, y, at.stream);
        assertClose("y", y, mapped(numbers(x), v -> value(activation, v)), Close.SUMS);

        var dY = at.random(n);
        var dX = at.garbage(n);
        double[] expected =
            mapped(
                numbers(x),
                v -> (value(activation, v + 1e-6) - value(activation, v - 1e-6)) / 2e-6);
        double[] factors = numbers(dY);
        for (int i = 0; i < n; i++) {
          expected[i] *= factors[i];
        }
        at.ops.activateBackward(activation, x, dY, dX, at.stream);
        assertClose("dX", dX, expected, Close.SUMS);

        at.ops.activateBackward(activation, x, dY, dY, at.stream);
        assertThat(numbers(dY)).isEqualTo(numbers(dX));
        at.ops.activate(activation, x, x, at.stream);
        assertThat(numbers(x)).isEqualTo(numbers(y));
      }
    }
  }

  @ParameterizedTest
  @EnumSource
  void addsAndMultipliesInPlaceToo(Devices devices) {
    for (int n : SIZES) {
      try (Workplace at = new Workplace(devices)) {
        var a = at.random(n);
        var b = at.random(n);
        double[] as = numbers(a);
        double[] bs = numbers(b);
        double[] sum = new double[n];
        double[] product = new double[n];
        for (int i = 0; i < n; i++) {
          sum[i] = (float) (as[i] + bs[i]);
          product[i] = (float) (as[i] * bs[i]);
        }
        var out = at.garbage(n);
        at.ops.add(a, b, out, at.stream);
        assertThat(numbers(out)).isEqualTo(sum);
        at.ops.multiply(a, b, out, at.stream);
        assertThat(numbers(out)).isEqualTo(product);
        at.ops.multiply(a, b, b, at.stream);
        assertThat(numbers(b)).isEqualTo(product);
      }
    }
  }

  @ParameterizedTest
  @EnumSource
  void sumsSquaresAndScales(Devices devices) {
    for (int n : SIZES) {
      try (Workplace at = new Workplace(devices)) {
        var x = at.random(n);
        double[] before = numbers(x);
        var sum = at.garbage(1);
        at.ops.sumOfSquares(x, sum, at.stream);
        double expected = Arrays.stream(before).map(v -> v * v).sum();
        assertClose("sum", sum, new double[] {expected}, Close.SUMS);

        at.ops.scale(x, at.floats(0.75), at.stream);
        assertThat(numbers(x)).isEqualTo(mapped(before, v -> (float) (0.75 * v)));
      }
    }
  }

  @ParameterizedTest
  @EnumSource
  void copiesAndClears(Devices devices) {
    for (int n : SIZES) {
      try (Workplace at = new Workplace(devices)) {
        var a = at.random(n);
        var b = at.garbage(n);
        at.stream.copy(a, b);
        assertThat(numbers(b)).isEqualTo(numbers(a));
        at.stream.zero(b);
        assertThat(numbers(b)).containsOnly(n == 0 ? new double[0] : new double[] {0});
        var ids = at.randomInts(9, n);
        at.stream.zero(ids);
        assertThat(numbers(ids)).isEqualTo(new double[n]);
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
