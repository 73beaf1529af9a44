package moe.backend.opencl;

import static moe.backend.opencl.Close.assertClose;
import static moe.backend.opencl.Numeric.plus;
import static moe.backend.opencl.Workplace.numbers;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Arrays;
import java.util.function.UnaryOperator;
import java.util.stream.DoubleStream;
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
    "PROCESSOR, 0, 5", "PROCESSOR, 1, 5", "PROCESSOR, 31, 64", "PROCESSOR, 33, 130",
    "GPU, 0, 5", "GPU, 1, 5", "GPU, 31, 64", "GPU, 33, 130"
  })
  void normalisesAndDifferentiates(Devices devices, int rows, int width) {
    try (Workplace at = new Workplace(devices)) {
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
    try (Workplace at = new Workplace(Devices.PROCESSOR)) {
      var x = at.zeros(1, 64);
      for (int i = 0; i < 64; i++) {
        at.set(x, i, 1000 + (i % 2));
      }
      var one = at.floats(DoubleStream.generate(() -> 1).limit(64).toArray());
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
    try (Workplace at = new Workplace(Devices.PROCESSOR)) {
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
      UnaryOperator<double[]> function, OpenClTensor in, OpenClTensor dOut, OpenClTensor before) {
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
