package moe.backend.cuda;

import static moe.backend.cuda.Twins.SUMS;

import moe.backend.cuda.Twins.Twin;
import moe.spi.device.Activation;
import moe.spi.device.AdamW;
import moe.spi.device.AdamWState;
import moe.spi.device.Embeddings;
import moe.spi.device.LinearWeights;
import moe.spi.device.NormStatistics;
import moe.spi.device.NormWeights;
import moe.spi.device.Shape;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/// Each dense operation beside the CPU backend's, on odd sizes and unaligned memory too.
class DenseOpsTest {
  @ParameterizedTest
  @CsvSource({
    "32, 0, 8, 8",
    "37, 1, 5, 7",
    "32, 8, 130, 33",
    "32, 9, 16, 64",
    "37, 33, 130, 65",
    "32, 65, 64, 129",
    "32, 300, 40, 257"
  })
  void multipliesByWeights(int margin, int rows, int in, int out) {
    try (Twins at = new Twins(margin)) {
      Twin x = at.random(rows, in);
      Twin weight = at.random(out, in);
      Twin half = at.randomHalves(out, in);
      Twin bias = at.random(out);
      Twin y = at.garbage(rows, out);
      Twin z = at.garbage(rows, out);
      at.both(s -> {
        var weights = new LinearWeights(s.of(weight), s.of(bias));
        s.ops.linear(s.of(x), weights, Activation.GELU, s.of(y), s.stream);
        s.ops.linear(
            s.of(x), new LinearWeights(s.of(half), null), Activation.NONE, s.of(z), s.stream);
      });
      at.assertClose("y", y, SUMS);
      at.assertClose("y of bf16 weights", z, SUMS);

      Twin dY = at.random(rows, out);
      Twin dX = at.garbage(rows, in);
      Twin dWeight = at.random(out, in);
      Twin dBias = at.random(out);
      at.both(s ->
          s.ops.linearBackward(
              s.of(dY),
              s.of(x),
              new LinearWeights(s.of(weight), s.of(bias)),
              s.of(dX),
              new LinearWeights(s.of(dWeight), s.of(dBias)),
              s.stream));
      at.assertClose("dX", dX, SUMS);
      at.assertClose("dWeight", dWeight, SUMS);
      at.assertClose("dBias", dBias, SUMS);
    }
  }

  @ParameterizedTest
  @CsvSource({
    "37, 0, 8",
    "37, 1, 1",
    "37, 33, 65",
    "37, 5, 768",
    "32, 0, 8",
    "32, 1, 4",
    "32, 90, 768",
    "32, 9, 1000",
    "32, 3, 1028"
  })
  void normalises(int margin, int rows, int width) {
    try (Twins at = new Twins(margin)) {
      Twin x = at.random(rows, width);
      Twin gain = at.random(width);
      Twin bias = at.random(width);
      Twin y = at.garbage(rows, width);
      Twin mean = at.garbage(rows);
      Twin inverse = at.garbage(rows);
      Twin dY = at.random(rows, width);
      Twin dX = at.random(rows, width);
      Twin dGain = at.random(width);
      Twin dBias = at.random(width);
      at.both(s -> {
        var weights = new NormWeights(s.of(gain), s.of(bias));
        var statistics = new NormStatistics(s.of(mean), s.of(inverse));
        s.ops.layerNorm(s.of(x), weights, 1e-5f, s.of(y), statistics, s.stream);
        s.ops.layerNormBackward(
            s.of(dY),
            s.of(x),
            weights,
            statistics,
            s.of(dX),
            new NormWeights(s.of(dGain), s.of(dBias)),
            s.stream);
      });
      for (Twin twin : new Twin[] {y, inverse, dX, dGain, dBias}) {
        at.assertClose("tensor " + twin.index(), twin, SUMS);
      }
      at.both(s ->
          s.ops.addLayerNorm(
              s.of(x),
              s.of(dY),
              s.of(x),
              new NormWeights(s.of(gain), s.of(bias)),
              1e-5f,
              s.of(y),
              new NormStatistics(s.of(mean), s.of(inverse)),
              s.stream));
      at.assertClose("sum", x, 0);
      at.assertClose("y of the sum", y, SUMS);
      at.assertClose("inverse of the sum", inverse, SUMS);
    }
  }

  @ParameterizedTest
  @CsvSource({"12, 5, 4, 7", "600, 3, 200, 300", "3, 5, 2, 4", "1100, 4, 550, 3", "8, 2, 8, 1030"})
  void embeds(int tokens, int vocab, int seqLength, int dModel) {
    try (Twins at = new Twins(37)) {
      Twin ids = at.randomInts(vocab, tokens);
      Twin table = at.random(vocab, dModel);
      Twin half = at.randomHalves(vocab, dModel);
      Twin positions = at.random(seqLength + 3, dModel);
      Twin out = at.garbage(tokens, dModel);
      Twin outOfHalf = at.garbage(tokens, dModel);
      Twin dTable = at.random(vocab, dModel);
      Twin dPositions = at.random(seqLength + 3, dModel);
      at.both(s -> {
        var tables = new Embeddings(s.of(table), s.of(positions));
        var halves = new Embeddings(s.of(half), s.of(positions));
        s.ops.embed(s.of(ids), tables, seqLength, 2, s.of(out), s.stream);
        s.ops.embed(s.of(ids), halves, seqLength, 0, s.of(outOfHalf), s.stream);
        var gradients = new Embeddings(s.of(dTable), s.of(dPositions));
        s.ops.embedBackward(s.of(ids), s.of(out), seqLength, gradients, s.stream);
      });
      at.assertClose("out", out, 0);
      at.assertClose("out of bf16", outOfHalf, 0);
      at.assertClose("dTable", dTable, SUMS);
      at.assertClose("dPositions", dPositions, SUMS);
    }
  }

  @ParameterizedTest
  @EnumSource
  void activates(Activation activation) {
    try (Twins at = new Twins(37)) {
      Twin x = at.floats(Shape.of(3000), i -> (i - 1500) / 100f);
      Twin y = at.garbage(3000);
      Twin dY = at.random(3000);
      at.both(s -> {
        s.ops.activate(activation, s.of(x), s.of(y), s.stream);
        s.ops.activateBackward(activation, s.of(x), s.of(dY), s.of(dY), s.stream);
      });
      at.assertClose("y", y, SUMS);
      at.assertClose("dY", dY, SUMS);
    }
  }

  @Test
  void addsMultipliesScalesAndSumsSquares() {
    try (Twins at = new Twins(37)) {
      Twin a = at.random(70, 50);
      Twin b = at.random(70, 50);
      Twin sum = at.garbage(70, 50);
      Twin product = at.garbage(70, 50);
      Twin factor = at.floats(Shape.of(1), i -> 0.3f);
      Twin squares = at.garbage(1);
      at.both(s -> {
        s.ops.add(s.of(a), s.of(b), s.of(sum), s.stream);
        s.ops.multiply(s.of(a), s.of(b), s.of(product), s.stream);
        s.ops.scale(s.of(b), s.of(factor), s.stream);
        s.ops.sumOfSquares(s.of(a), s.of(squares), s.stream);
      });
      at.assertClose("sum", sum, 0);
      at.assertClose("product", product, 0);
      at.assertClose("scaled", b, 0);
      at.assertClose("squares", squares, SUMS);
    }
  }

  @ParameterizedTest
  @CsvSource({"3, 7", "2, 1000", "0, 4"})
  void takesLosses(int rows, int vocab) {
    try (Twins at = new Twins(37)) {
      Twin logits = at.random(rows, vocab);
      Twin targets = at.ints(Shape.of(rows), rows == 3 ? new int[] {1, -1, 6} : new int[rows]);
      Twin losses = at.garbage(rows);
      Twin alone = at.garbage(rows);
      Twin best = at.randomInts(5, rows);
      at.both(s -> {
        s.ops.argMax(s.of(logits), s.of(best), s.stream);
        s.ops.crossEntropy(s.of(logits), s.of(targets), s.of(alone), 1, null, s.stream);
        s.ops.crossEntropy(
            s.of(logits), s.of(targets), s.of(losses), 0.25f, s.of(logits), s.stream);
      });
      at.assertSame("best", best);
      at.assertClose("losses", losses, SUMS);
      at.assertClose("losses without gradient", alone, SUMS);
      at.assertClose("dLogits", logits, SUMS);
    }
  }

  @Test
  void findsTheLargestAmongEqualsInfinitiesAndNaN() {
    float nan = Float.NaN;
    float inf = Float.POSITIVE_INFINITY;
    float[] rows = {1, 3, 3, nan, nan, -inf, nan, nan, nan, -inf, inf, inf, -inf, -inf, -inf};
    try (Twins at = new Twins(37)) {
      Twin x = at.floats(Shape.of(5, 3), i -> rows[i]);
      Twin best = at.randomInts(5, 5);
      at.both(s -> s.ops.argMax(s.of(x), s.of(best), s.stream));
      at.assertSame("best", best);
    }
  }

  @Test
  void movesRowsByAssignments() {
    try (Twins at = new Twins(37)) {
      Twin x = at.random(4, 300);
      Twin assignments = at.ints(Shape.of(3), 7, 2, 0);
      Twin rows = at.garbage(3, 300);
      Twin gates = at.random(4, 2);
      Twin out = at.random(4, 300);
      Twin plain = at.random(4, 300);
      Twin dOut = at.random(4, 300);
      Twin dGates = at.random(4, 2);
      at.both(s -> {
        s.ops.gatherRows(s.of(x), s.of(assignments), 2, s.of(rows), s.stream);
        s.ops.scatterRows(s.of(rows), s.of(assignments), 2, s.of(gates), s.of(out), s.stream);
        s.ops.scatterRows(s.of(rows), s.of(assignments), 2, null, s.of(plain), s.stream);
        s.ops.scatterRowsBackward(
            s.of(dOut),
            s.of(rows),
            s.of(assignments),
            s.of(gates),
            s.of(rows),
            s.of(dGates),
            s.stream);
      });
      at.assertClose("out", out, SUMS);
      at.assertClose("plain", plain, SUMS);
      at.assertClose("dValues", rows, 0);
      at.assertClose("dGates", dGates, SUMS);
    }
  }

  @Test
  void stepsTheOptimiser() {
    try (Twins at = new Twins(37)) {
      Twin parameter = at.random(1500);
      Twin gradient = at.random(1500);
      Twin first = at.random(1500);
      Twin second = at.floats(Shape.of(1500), i -> i / 1000f);
      Twin schedule = at.floats(Shape.of(3), i -> new float[] {1e-3f, 10f, 20f}[i]);
      at.both(s ->
          s.ops.adamW(
              s.of(parameter),
              s.of(gradient),
              new AdamWState(s.of(first), s.of(second)),
              new AdamW(0.9f, 0.95f, 1e-8f, 0.1f),
              s.of(schedule),
              s.stream));
      at.assertClose("parameter", parameter, SUMS);
      at.assertClose("first", first, SUMS);
      at.assertClose("second", second, SUMS);
    }
  }
}
