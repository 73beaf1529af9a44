package moe.backend.cpu;

import static moe.backend.cpu.Close.assertClose;
import static moe.backend.cpu.Workplace.numbers;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import moe.spi.device.Activation;
import moe.spi.device.LinearWeights;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/// A linear layer on views, against a reference in double precision.
class LinearTest {
  @ParameterizedTest
  @CsvSource({
    "VECTOR, 0, 5, 7",
    "VECTOR, 1, 5, 7",
    "VECTOR, 3, 130, 33",
    "VECTOR, 33, 64, 130",
    "SCALAR, 1, 5, 7",
    "SCALAR, 33, 64, 130"
  })
  void multipliesAndDifferentiates(Loops loops, int rows, int in, int out) {
    try (Workplace at = new Workplace(loops)) {
      var x = at.random(rows, in);
      var weight = at.random(out, in);
      var bias = at.random(out);
      var weights = new LinearWeights(weight, bias);
      var y = at.garbage(rows, out);
      at.ops.linear(x, weights, Activation.NONE, y, at.stream);
      assertClose(
          "y", y, product(numbers(x), numbers(weight), rows, in, out, numbers(bias)), Close.SUMS);

      var dY = at.random(rows, out);
      var dX = at.garbage(rows, in);
      var dWeight = at.random(out, in);
      var dBias = at.random(out);
      var gradients = new LinearWeights(dWeight, dBias);
      double[] dXs = new double[rows * in];
      double[] dWs = numbers(dWeight);
      double[] dBs = numbers(dBias);
      double[] ds = numbers(dY);
      double[] xs = numbers(x);
      double[] ws = numbers(weight);
      for (int row = 0; row < rows; row++) {
        for (int o = 0; o < out; o++) {
          double d = ds[row * out + o];
          dBs[o] += d;
          for (int i = 0; i < in; i++) {
            dXs[row * in + i] += d * ws[o * in + i];
            dWs[o * in + i] += d * xs[row * in + i];
          }
        }
      }
      at.ops.linearBackward(dY, x, weights, dX, gradients, at.stream);
      assertClose("dX", dX, dXs, Close.SUMS);
      assertClose("dW", dWeight, dWs, Close.SUMS);
      assertClose("db", dBias, dBs, Close.SUMS);
    }
  }

  @ParameterizedTest
  @EnumSource
  void storesWeightsInHalfTheBytes(Loops loops) {
    for (int rows : new int[] {1, 33}) {
      try (Workplace at = new Workplace(loops)) {
        var x = at.random(rows, 130);
        var stored = at.rounded(at.random(33, 130));
        var y = at.garbage(rows, 33);
        at.ops.linear(x, new LinearWeights(stored, null), Activation.NONE, y, at.stream);
        assertClose(
            "y",
            y,
            product(numbers(x), numbers(stored), rows, 130, 33, new double[33]),
            Close.SUMS);
      }
    }
  }

  @Test
  void leavesOutTheGradientThatNobodyNeeds() {
    try (Workplace at = new Workplace(Loops.VECTOR)) {
      var weights = new LinearWeights(at.random(7, 5), null);
      var gradients = new LinearWeights(at.zeros(7, 5), null);
      var dY = at.random(3, 7);
      at.ops.linearBackward(dY, at.random(3, 5), weights, null, gradients, at.stream);
      assertThat(numbers(gradients.weight())).doesNotContain(0, Double.NaN);
    }
  }

  @Test
  void namesTheTensorThatDoesNotFit() {
    try (Workplace at = new Workplace(Loops.VECTOR)) {
      var weights = new LinearWeights(at.zeros(7, 5), at.zeros(6));
      assertThatThrownBy(() ->
              at.ops.linear(at.zeros(3, 5), weights, Activation.NONE, at.zeros(3, 7), at.stream))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessage("linear: bias has shape [6], must have [7]");
      assertThatThrownBy(() ->
              at.ops.linear(at.zeros(3, 4), weights, Activation.NONE, at.zeros(3, 7), at.stream))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessage("linear: weight has shape [7, 5], must have [7, 4]");
    }
  }

  private static double[] product(
      double[] x, double[] weight, int rows, int in, int out, double[] bias) {
    double[] y = new double[rows * out];
    for (int row = 0; row < rows; row++) {
      for (int o = 0; o < out; o++) {
        double sum = bias[o];
        for (int i = 0; i < in; i++) {
          sum += weight[o * in + i] * x[row * in + i];
        }
        y[row * out + o] = sum;
      }
    }
    return y;
  }
}
