package moe.backend.opencl;

import static moe.backend.opencl.Close.assertClose;
import static moe.backend.opencl.Workplace.ids;
import static moe.backend.opencl.Workplace.numbers;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import moe.spi.device.Shape;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/// Cross-entropy and the largest element against references in double precision.
class LossTest {
  @ParameterizedTest
  @CsvSource({
    "PROCESSOR, 0, 7",
    "PROCESSOR, 1, 1",
    "PROCESSOR, 33, 5",
    "PROCESSOR, 31, 131",
    "PROCESSOR, 3, 50257",
    "GPU, 1, 1",
    "GPU, 31, 131",
    "GPU, 3, 50257"
  })
  void lossAndGradientOfEachRow(Devices devices, int rows, int vocab) {
    float scale = 0.25f;
    try (Workplace at = new Workplace(devices)) {
      var logits = at.random(rows, vocab);
      var targets = at.randomInts(vocab, rows);
      double[] losses = new double[rows];
      double[] gradient = new double[rows * vocab];
      for (int row = 0; row < rows; row++) {
        if (row % 4 == 2) {
          at.set(targets, row, -100);
        } else {
          reference(numbers(logits), row, vocab, ids(targets)[row], scale, losses, gradient);
        }
      }
      var actual = at.garbage(rows);
      at.ops.crossEntropy(logits, targets, actual, scale, null, at.stream);
      assertClose("losses", actual, losses, Close.SUMS);

      var dLogits = at.garbage(rows, vocab);
      at.ops.crossEntropy(logits, targets, actual, scale, dLogits, at.stream);
      assertClose("losses", actual, losses, Close.SUMS);
      assertClose("dLogits", dLogits, gradient, Close.SUMS);

      at.ops.crossEntropy(logits, targets, actual, scale, logits, at.stream);
      assertThat(numbers(logits)).as("in place").isEqualTo(numbers(dLogits));
    }
  }

  @Test
  void survivesLogitsOfAnySize() {
    try (Workplace at = new Workplace(Devices.PROCESSOR)) {
      var logits = at.floats(1e30, -1e30, 3, Double.NEGATIVE_INFINITY).view(0, Shape.of(1, 4));
      var losses = at.garbage(1);
      at.ops.crossEntropy(logits, at.ints(0), losses, 1, logits, at.stream);
      assertThat(numbers(losses)).containsExactly(0);
      assertThat(numbers(logits)).containsExactly(0, 0, 0, 0);
    }
  }

  @Test
  void showsNaN() {
    try (Workplace at = new Workplace(Devices.PROCESSOR)) {
      var logits = at.random(1, 40);
      at.set(logits, 20, Float.NaN);
      var losses = at.zeros(1);
      at.ops.crossEntropy(logits, at.ints(0), losses, 1, null, at.stream);
      assertThat(numbers(losses)).containsExactly(Double.NaN);
    }
  }

  @ParameterizedTest
  @EnumSource
  void showsATargetOutsideTheVocabularyAsNaN(Devices devices) {
    try (Workplace at = new Workplace(devices)) {
      var losses = at.zeros(2);
      at.ops.crossEntropy(at.zeros(2, 3), at.ints(0, 3), losses, 1, null, at.stream);
      assertThat(numbers(losses)[0]).isCloseTo(Math.log(3), within(1e-6));
      assertThat(numbers(losses)[1]).isNaN();
    }
  }

  @ParameterizedTest
  @EnumSource
  void largestElementAndTheFirstOfEquals(Devices devices) {
    try (Workplace at = new Workplace(devices)) {
      for (int width : new int[] {1, 5, 31, 33, 1000}) {
        var x = at.random(9, width);
        var indexes = at.ints(new int[9]);
        int[] expected = new int[9];
        for (int row = 0; row < 9; row++) {
          int from = row * width;
          int second = row * (width - 1) / 8;
          at.set(x, from + second, 100);
          at.set(x, from + width - 1, 100);
          expected[row] = second;
        }
        at.ops.argMax(x, indexes, at.stream);
        assertThat(ids(indexes)).containsExactly(expected);
      }
    }
  }

  @ParameterizedTest
  @EnumSource
  void neverChoosesNaN(Devices devices) {
    try (Workplace at = new Workplace(devices)) {
      double nan = Double.NaN;
      double least = Double.NEGATIVE_INFINITY;
      var x = at.floats(nan, -3, -2, nan, nan, nan, least, least, least).view(0, Shape.of(3, 3));
      var indexes = at.ints(9, 9, 9);
      at.ops.argMax(x, indexes, at.stream);
      assertThat(ids(indexes)).containsExactly(2, 0, 0);
    }
  }

  private static void reference(
      double[] logits,
      int row,
      int vocab,
      int target,
      double scale,
      double[] losses,
      double[] gradient) {
    double sum = 0;
    for (int i = 0; i < vocab; i++) {
      sum += Math.exp(logits[row * vocab + i]);
    }
    losses[row] = Math.log(sum) - logits[row * vocab + target];
    for (int i = 0; i < vocab; i++) {
      double p = Math.exp(logits[row * vocab + i]) / sum;
      gradient[row * vocab + i] = scale * (p - (i == target ? 1 : 0));
    }
  }
}
