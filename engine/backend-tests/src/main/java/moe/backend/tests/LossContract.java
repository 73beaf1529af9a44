package moe.backend.tests;

import static org.assertj.core.api.Assertions.assertThat;

import moe.spi.device.Shape;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/// Cross-entropy and the largest element against references in double precision.
public abstract class LossContract implements Place {
  @ParameterizedTest
  @CsvSource({
    "MAIN, 0, 7",
    "MAIN, 1, 1",
    "MAIN, 33, 5",
    "MAIN, 31, 131",
    "MAIN, 3, 50257",
    "OTHER, 1, 1",
    "OTHER, 31, 131",
    "OTHER, 3, 50257"
  })
  void lossAndGradientOfEachRow(Way way, int rows, int vocab) {
    float scale = 0.25f;
    try (Workplace at = open(way)) {
      var logits = at.random(rows, vocab);
      var targets = at.randomInts(vocab, rows);
      double[] losses = new double[rows];
      double[] gradient = new double[rows * vocab];
      for (int row = 0; row < rows; row++) {
        if (row % 4 == 2) {
          at.set(targets, row, -100);
        } else {
          reference(at.numbers(logits), row, vocab, at.ids(targets)[row], scale, losses, gradient);
        }
      }
      var actual = at.garbage(rows);
      at.ops.crossEntropy(logits, targets, actual, scale, null, at.stream);
      at.assertClose("losses", actual, losses, Close.SUMS);

      var dLogits = at.garbage(rows, vocab);
      at.ops.crossEntropy(logits, targets, actual, scale, dLogits, at.stream);
      at.assertClose("losses", actual, losses, Close.SUMS);
      at.assertClose("dLogits", dLogits, gradient, Close.SUMS);

      at.ops.crossEntropy(logits, targets, actual, scale, logits, at.stream);
      assertThat(at.numbers(logits)).as("in place").isEqualTo(at.numbers(dLogits));
    }
  }

  @Test
  void survivesLogitsOfAnySize() {
    try (Workplace at = open(Way.MAIN)) {
      var logits = at.floats(1e30, -1e30, 3, Double.NEGATIVE_INFINITY).view(0, Shape.of(1, 4));
      var losses = at.garbage(1);
      at.ops.crossEntropy(logits, at.ints(0), losses, 1, logits, at.stream);
      assertThat(at.numbers(losses)).containsExactly(0);
      assertThat(at.numbers(logits)).containsExactly(0, 0, 0, 0);
    }
  }

  @Test
  void showsNaN() {
    try (Workplace at = open(Way.MAIN)) {
      var logits = at.random(1, 40);
      at.set(logits, 20, Double.NaN);
      var losses = at.zeros(1);
      at.ops.crossEntropy(logits, at.ints(0), losses, 1, null, at.stream);
      assertThat(at.numbers(losses)).containsExactly(Double.NaN);
    }
  }

  @ParameterizedTest
  @EnumSource
  void largestElementAndTheFirstOfEquals(Way way) {
    try (Workplace at = open(way)) {
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
        assertThat(at.ids(indexes)).containsExactly(expected);
      }
    }
  }

  @ParameterizedTest
  @EnumSource
  void neverChoosesNaN(Way way) {
    try (Workplace at = open(way)) {
      double nan = Double.NaN;
      double least = Double.NEGATIVE_INFINITY;
      var x = at.floats(nan, -3, -2, nan, nan, nan, least, least, least).view(0, Shape.of(3, 3));
      var indexes = at.ints(9, 9, 9);
      at.ops.argMax(x, indexes, at.stream);
      assertThat(at.ids(indexes)).containsExactly(2, 0, 0);
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
