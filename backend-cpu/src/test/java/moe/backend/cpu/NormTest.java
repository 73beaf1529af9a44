package moe.backend.cpu;

import static moe.backend.cpu.Close.assertClose;
import static moe.backend.cpu.Numeric.plus;
import static moe.backend.cpu.Workplace.numbers;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Arrays;
import java.util.function.UnaryOperator;
import moe.spi.device.NormStatistics;
import moe.spi.device.NormWeights;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// Layer norm against a reference in double precision.
class NormTest {
  private static final float EPSILON = 1e-5f;

  @ParameterizedTest
  @CsvSource({
    "VECTOR, 0, 5", "VECTOR, 1, 5", "VECTOR, 31, 64", "VECTOR, 33, 130",
    "SCALAR, 0, 5", "SCALAR, 1, 5", "SCALAR, 31, 64", "SCALAR, 33, 130"
  })
  void normalisesAndDifferentiates(Loops loops, int rows, int width) {
    try (Workplace at = new Workplace(loops)) {
      var x = at.random(rows, width);
      var gain = at.random(width);
      var bias = at.random(width);
      var y = at.garbage(rows, width);
      var statistics = new NormStatistics(at.garbage(rows), at.garbage(rows));
      var weights = new NormWeights(gain, bias);
      at.ops.layerNorm(x, weights, EPSILON, y, statistics, at.stream);
      assertClose("y", y, norm(numbers(x), numbers(gain), numbers(bias)), Close.SUMS);

      var dY = at.random(rows, width);
      var dX = at.random(rows, width);
      var dGain = at.random(width);
      var dBias = at.random(width);
      double[] expectedX = gradient(v -> norm(v, numbers(gain), numbers(bias)), x, dY, dX);
      double[] expectedGain = gradient(v -> norm(numbers(x), v, numbers(bias)), gain, dY, dGain);
      double[] expectedBias = gradient(v -> norm(numbers(x), numbers(gain), v), bias, dY, dBias);
      at.ops.layerNormBackward(
          dY, x, weights, statistics, dX, new NormWeights(dGain, dBias), at.stream);
      assertClose("dX", dX, expectedX, Close.SUMS);
      assertClose("dGain", dGain, expectedGain, Close.SUMS);
      assertClose("dBias", dBias, expectedBias, Close.SUMS);
    }
  }

  @Test
  void keepsDigitsWhenTheMeanIsLarge() {
    try (Workplace at = new Workplace(Loops.VECTOR)) {
      var x = at.zeros(1, 64);
      for (int i = 0; i < 64; i++) {
        x.floats().array()[x.floats().at() + i] = 1000 + (i % 2);
      }
      var one = at.floats(new double[64]);
      Arrays.fill(one.floats().array(), one.floats().at(), one.floats().at() + 64, 1f);
      var y = at.garbage(1, 64);
      at.ops.layerNorm(
          x,
          new NormWeights(one, at.zeros(64)),
          EPSILON,
          y,
          new NormStatistics(at.garbage(1), at.garbage(1)),
          at.stream);
      double[] ones = new double[64];
      Arrays.fill(ones, 1);
      assertClose("y", y, norm(numbers(x), ones, new double[64]), Close.SUMS);
    }
  }

  @Test
  void namesOperationTensorAndBothShapes() {
    try (Workplace at = new Workplace(Loops.VECTOR)) {
      var weights = new NormWeights(at.zeros(5), at.zeros(5));
      var statistics = new NormStatistics(at.zeros(3), at.zeros(3));
      assertThatThrownBy(() ->
              at.ops.layerNorm(
                  at.zeros(3, 5), weights, EPSILON, at.zeros(3, 4), statistics, at.stream))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessage("layerNorm: y has shape [3, 4], must have [3, 5]");
    }
  }

  private static double[] gradient(
      UnaryOperator<double[]> function, CpuTensor in, CpuTensor dOut, CpuTensor before) {
    return plus(numbers(before), Numeric.gradient(function, numbers(in), numbers(dOut)));
  }

  private static double[] norm(double[] x, double[] gain, double[] bias) {
    int width = gain.length;
    double[] y = new double[x.length];
    for (int row = 0; row < x.length; row += width) {
      double mean = 0;
      double variance = 0;
      for (int i = 0; i < width; i++) {
        mean += x[row + i] / width;
      }
      for (int i = 0; i < width; i++) {
        variance += (x[row + i] - mean) * (x[row + i] - mean) / width;
      }
      for (int i = 0; i < width; i++) {
        y[row + i] = (x[row + i] - mean) / Math.sqrt(variance + EPSILON) * gain[i] + bias[i];
      }
    }
    return y;
  }
}
