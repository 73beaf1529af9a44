package moe.backend.tests;

import static moe.backend.tests.Numeric.plus;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Arrays;
import java.util.function.UnaryOperator;
import moe.spi.device.NormStatistics;
import moe.spi.device.NormWeights;
import moe.spi.device.Tensor;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// Layer norm against a reference in double precision.
public abstract class NormContract implements Place {
  private static final float EPSILON = 1e-5f;

  @ParameterizedTest
  @CsvSource({
    "MAIN, 0, 5", "MAIN, 1, 5", "MAIN, 31, 64", "MAIN, 33, 130",
    "OTHER, 0, 5", "OTHER, 1, 5", "OTHER, 31, 64", "OTHER, 33, 130"
  })
  void normalisesAndDifferentiates(Way way, int rows, int width) {
    try (Workplace at = open(way)) {
      var x = at.random(rows, width);
      var gain = at.random(width);
      var bias = at.random(width);
      var y = at.garbage(rows, width);
      var statistics = new NormStatistics(at.garbage(rows), at.garbage(rows));
      var weights = new NormWeights(gain, bias);
      at.ops.layerNorm(x, weights, EPSILON, y, statistics, at.stream);
      at.assertClose("y", y, norm(at.numbers(x), at.numbers(gain), at.numbers(bias)), Close.SUMS);

      var dY = at.random(rows, width);
      var dX = at.random(rows, width);
      var dGain = at.random(width);
      var dBias = at.random(width);
      double[] expectedX =
          gradient(at, v -> norm(v, at.numbers(gain), at.numbers(bias)), x, dY, dX);
      double[] expectedGain =
          gradient(at, v -> norm(at.numbers(x), v, at.numbers(bias)), gain, dY, dGain);
      double[] expectedBias =
          gradient(at, v -> norm(at.numbers(x), at.numbers(gain), v), bias, dY, dBias);
      at.ops.layerNormBackward(
          dY, x, weights, statistics, dX, new NormWeights(dGain, dBias), at.stream);
      at.assertClose("dX", dX, expectedX, Close.SUMS);
      at.assertClose("dGain", dGain, expectedGain, Close.SUMS);
      at.assertClose("dBias", dBias, expectedBias, Close.SUMS);
    }
  }

  @Test
  void keepsDigitsWhenTheMeanIsLarge() {
    try (Workplace at = open(Way.MAIN)) {
      var x = at.zeros(1, 64);
      for (int i = 0; i < 64; i++) {
        at.set(x, i, 1000 + (i % 2));
      }
      double[] ones = new double[64];
      Arrays.fill(ones, 1);
      var y = at.garbage(1, 64);
      at.ops.layerNorm(
          x,
          new NormWeights(at.floats(ones), at.zeros(64)),
          EPSILON,
          y,
          new NormStatistics(at.garbage(1), at.garbage(1)),
          at.stream);
      at.assertClose("y", y, norm(at.numbers(x), ones, new double[64]), Close.SUMS);
    }
  }

  @Test
  void namesOperationTensorAndBothShapes() {
    try (Workplace at = open(Way.MAIN)) {
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
      Workplace at, UnaryOperator<double[]> function, Tensor in, Tensor dOut, Tensor before) {
    return plus(at.numbers(before), Numeric.gradient(function, at.numbers(in), at.numbers(dOut)));
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
