package moe.backend.tests;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import moe.spi.device.Activation;
import moe.spi.device.LinearWeights;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// A linear layer on views, against a reference in double precision.
public abstract class LinearContract implements Place {
  @ParameterizedTest
  @CsvSource({
    "MAIN, 0, 5, 7",
    "MAIN, 1, 5, 7",
    "MAIN, 3, 130, 33",
    "MAIN, 33, 64, 130",
    "MAIN, 300, 17, 600",
    "MAIN, 17, 600, 50",
    "OTHER, 0, 5, 7",
    "OTHER, 1, 5, 7",
    "OTHER, 33, 64, 130"
  })
  void multipliesAndDifferentiates(Way way, int rows, int in, int out) {
    try (Workplace at = open(way)) {
      multiplyAndDifferentiate(at, rows, in, out);
    }
  }

  /// Forward and backward with a bias.
  protected static void multiplyAndDifferentiate(Workplace at, int rows, int in, int out) {
    var x = at.random(rows, in);
    var weight = at.random(out, in);
    var bias = at.random(out);
    var weights = new LinearWeights(weight, bias);
    var y = at.garbage(rows, out);
    at.ops.linear(x, weights, Activation.NONE, y, at.stream);
    at.assertClose(
        "y",
        y,
        product(at.numbers(x), at.numbers(weight), rows, in, out, at.numbers(bias)),
        Close.SUMS);

    var dY = at.random(rows, out);
    var dX = at.garbage(rows, in);
    var dWeight = at.random(out, in);
    var dBias = at.random(out);
    var gradients = new LinearWeights(dWeight, dBias);
    double[] dXs = new double[rows * in];
    double[] dWs = at.numbers(dWeight);
    double[] dBs = at.numbers(dBias);
    double[] ds = at.numbers(dY);
    double[] xs = at.numbers(x);
    double[] ws = at.numbers(weight);
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
    at.assertClose("dX", dX, dXs, Close.SUMS);
    at.assertClose("dW", dWeight, dWs, Close.SUMS);
    at.assertClose("db", dBias, dBs, Close.SUMS);
  }

  @Test
  void leavesOutTheGradientThatNobodyNeeds() {
    try (Workplace at = open(Way.MAIN)) {
      var weights = new LinearWeights(at.random(7, 5), null);
      var gradients = new LinearWeights(at.zeros(7, 5), null);
      var dY = at.random(3, 7);
      at.ops.linearBackward(dY, at.random(3, 5), weights, null, gradients, at.stream);
      assertThat(at.numbers(gradients.weight())).doesNotContain(0, Double.NaN);
    }
  }

  @Test
  void namesTheTensorThatDoesNotFit() {
    try (Workplace at = open(Way.MAIN)) {
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

  /// `weight·x + bias`, plainly.
  protected static double[] product(
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
