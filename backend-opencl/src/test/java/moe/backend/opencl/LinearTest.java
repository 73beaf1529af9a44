package moe.backend.opencl;

import static moe.backend.opencl.Close.assertClose;
import static moe.backend.opencl.Workplace.numbers;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import moe.spi.device.Activation;
import moe.spi.device.LinearWeights;
import moe.spi.error.ErrorKind;
import moe.spi.error.MoeException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// A linear layer on views, against a reference in double precision.
class LinearTest {
  @ParameterizedTest
  @CsvSource({
    "PROCESSOR, 0, 5, 7",
    "PROCESSOR, 1, 5, 7",
    "PROCESSOR, 3, 130, 33",
    "PROCESSOR, 33, 64, 130",
    "PROCESSOR, 300, 17, 600",
    "PROCESSOR, 17, 600, 50",
    "GPU, 0, 5, 7",
    "GPU, 1, 5, 7",
    "GPU, 33, 64, 130"
  })
  void multipliesAndDifferentiates(Devices devices, int rows, int in, int out) {
    try (Workplace at = new Workplace(devices)) {
      multiplyAndDifferentiate(at, rows, in, out);
    }
  }

  @Test
  void packsInPartsWhatItsMemoryDoesNotHold() {
    // 1 MiB of memory: 4096 floats of it for packed rows, which is 64 rows forward, 80 backward
    try (OpenClBackend small = Devices.PROCESSOR.open(Devices.driver(), 1 << 20);
        Workplace at = new Workplace(small)) {
      multiplyAndDifferentiate(at, 150, 64, 48);
      var weights = new LinearWeights(at.zeros(2, 300), null);
      assertThatThrownBy(() ->
              at.ops.linear(at.zeros(1, 300), weights, Activation.NONE, at.zeros(1, 2), at.stream))
          .isInstanceOfSatisfying(
              MoeException.class, e -> assertThat(e.kind()).isEqualTo(ErrorKind.UNSUPPORTED))
          .hasMessageStartingWith(
              "opencl: a row of 300 features is too long to be packed (at most 256).");
    }
  }

  private static void multiplyAndDifferentiate(Workplace at, int rows, int in, int out) {
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

  @Test
  void leavesOutTheGradientThatNobodyNeeds() {
    try (Workplace at = new Workplace(Devices.PROCESSOR)) {
      var weights = new LinearWeights(at.random(7, 5), null);
      var gradients = new LinearWeights(at.zeros(7, 5), null);
      var dY = at.random(3, 7);
      at.ops.linearBackward(dY, at.random(3, 5), weights, null, gradients, at.stream);
      assertThat(numbers(gradients.weight())).doesNotContain(0, Double.NaN);
    }
  }

  @Test
  void namesTheTensorThatDoesNotFit() {
    try (Workplace at = new Workplace(Devices.PROCESSOR)) {
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
