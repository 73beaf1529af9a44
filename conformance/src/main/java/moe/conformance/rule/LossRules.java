package moe.conformance.rule;

import static moe.conformance.trial.Feature.backward;
import static moe.conformance.trial.Feature.forward;

import java.util.List;
import moe.conformance.reference.Loss;
import moe.conformance.trial.Draw;
import moe.conformance.trial.Workbench;
import moe.spi.device.Tensor;

/// What is done with logits.
final class LossRules {
  private static final double NAN = Double.NaN;
  private static final double LEAST = Double.NEGATIVE_INFINITY;

  private LossRules() {}

  static List<Rule> all() {
    return List.of(
        Rule.must(
            "DENSE-14",
            "crossEntropy gives the loss of each row, 0 where the target is negative, for logits of"
                + " any size.",
            "that the largest logit is subtracted before the exponential, and the masked rows.",
            LossRules::losses),
        Rule.must(
            "DENSE-15",
            "argMax gives the index of the largest element, of equals the smallest, and never that"
                + " of a NaN while there is a number.",
            "the order in which partial results are compared.",
            LossRules::argMax),
        Rule.must(
            "GRAD-7",
            "crossEntropy gives gradientScale · (softmax − one-hot), 0 for masked rows, also into"
                + " the logits.",
            "that the loss is read before the logits are overwritten.",
            LossRules::gradients));
  }

  private static final int[][] SIZES = {{0, 7}, {1, 1}, {33, 5}, {31, 131}, {32, 64}, {3, 5003}};

  private static void losses(Workbench at) {
    for (int[] size : SIZES) {
      at.trial(
          forward("crossEntropy"),
          label(size),
          () -> {
            double[] x = new Draw(31).normal(size[0] * size[1], 3);
            int[] targets = targets(size);
            Tensor losses = at.output("losses", size[0]);
            at.dense()
                .crossEntropy(
                    at.floats("logits", x, size[0], size[1]),
                    at.ints("targets", targets, size[0]),
                    losses,
                    0.25f,
                    null,
                    at.stream());
            at.compare("losses", losses, Loss.of(x, targets, size[1], 0.25).losses());
          });
    }
    at.trial(
        forward("crossEntropy"),
        "logits 1e30, -1e30, 3, -Inf",
        () -> {
          Tensor losses = at.output("losses", 1);
          Tensor logits = at.accumulator("logits", new double[] {1e30f, -1e30f, 3, LEAST}, 1, 4);
          Tensor target = at.ints("targets", new int[] {0}, 1);
          at.dense().crossEntropy(logits, target, losses, 1, logits, at.stream());
          at.compareExactly("losses", losses, new double[1]);
          at.compareExactly("dLogits", logits, new double[4]);
        });
  }

  private static void gradients(Workbench at) {
    for (int[] size : SIZES) {
      at.trial(
          backward("crossEntropy"),
          label(size),
          () -> {
            double[] x = new Draw(32).normal(size[0] * size[1], 3);
            int[] values = targets(size);
            Loss expected = Loss.of(x, values, size[1], 0.25);
            Tensor targets = at.ints("targets", values, size[0]);
            Tensor losses = at.output("losses", size[0]);
            Tensor dLogits = at.output("dLogits", size[0], size[1]);
            Tensor logits = at.floats("logits", x, size[0], size[1]);
            at.dense().crossEntropy(logits, targets, losses, 0.25f, dLogits, at.stream());
            at.compare("losses", losses, expected.losses());
            at.compare("dLogits", dLogits, expected.dLogits());
            Tensor inPlace = at.accumulator("logits in place", x, size[0], size[1]);
            Tensor again = at.output("losses in place", size[0]);
            at.dense().crossEntropy(inPlace, targets, again, 0.25f, inPlace, at.stream());
            at.compare("losses in place", again, expected.losses());
            at.compare("logits in place", inPlace, expected.dLogits());
          });
    }
  }

  private static String label(int[] size) {
    return "rows %d, vocab %d".formatted(size[0], size[1]);
  }

  // Every fourth row is masked.
  private static int[] targets(int[] size) {
    int[] targets = new Draw(33).below(size[1], size[0]);
    for (int row = 2; row < targets.length; row += 4) {
      targets[row] = -100;
    }
    return targets;
  }

  private static void argMax(Workbench at) {
    for (int width : new int[] {1, 5, 31, 33, 1000}) {
      int rows = 9;
      at.trial(
          forward("argMax"),
          "rows %d, n %d, two equal maxima".formatted(rows, width),
          () -> {
            double[] x = new Draw(34).normal(rows * width);
            int[] expected = new int[rows];
            for (int row = 0; row < rows; row++) {
              expected[row] = row * (width - 1) / (rows - 1);
              x[row * width + expected[row]] = 100;
              x[row * width + width - 1] = 100;
            }
            Tensor indexes = at.indexes("indexes", rows);
            at.dense().argMax(at.floats("x", x, rows, width), indexes, at.stream());
            at.compareExactly("indexes", indexes, expected);
          });
    }
    at.trial(
        forward("argMax"),
        "NaN and infinities",
        () -> {
          double[] x = {NAN, -3, -2, NAN, NAN, NAN, LEAST, LEAST, LEAST, LEAST, -LEAST, NAN};
          Tensor indexes = at.indexes("indexes", 4);
          at.dense().argMax(at.floats("x", x, 4, 3), indexes, at.stream());
          // A row of NaN alone has no largest element; any index in range will do.
          int[] found = at.readInts(indexes);
          int second = Math.clamp(found[1], 0, 2);
          at.compareExactly("indexes", indexes, new int[] {2, second, 0, 1});
        });
    at.trial(
        forward("argMax"),
        "no rows",
        () ->
            at.dense()
                .argMax(at.floats("x", new double[0], 0, 3), at.indexes("i", 0), at.stream()));
  }
}
