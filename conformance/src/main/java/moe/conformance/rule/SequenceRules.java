package moe.conformance.rule;

import static moe.conformance.trial.Feature.forward;

import java.util.List;
import moe.conformance.reference.Norm;
import moe.conformance.reference.Sums;
import moe.conformance.trial.Draw;
import moe.conformance.trial.Workbench;
import moe.spi.device.Embeddings;
import moe.spi.device.NormStatistics;
import moe.spi.device.NormWeights;
import moe.spi.device.Tensor;

/// Operations on rows and sequences of them.
final class SequenceRules {
  private SequenceRules() {}

  static List<Rule> all() {
    return List.of(
        Rule.must(
            "DENSE-1",
            "embed adds the row of each id and the row of its position, from firstPosition on.",
            "that positions start again after seqLength rows.",
            SequenceRules::embed),
        Rule.must(
            "DENSE-2",
            "layerNorm normalises each row by its biased variance, also where the mean is far from"
                + " zero, and writes both statistics.",
            "that the variance is summed from differences to the mean, not from squares.",
            SequenceRules::layerNorm),
        Rule.must(
            "DENSE-9",
            "gatherRows copies the row of each assignment's token, bit for bit.",
            "the division by topK.",
            SequenceRules::gather),
        Rule.must(
            "DENSE-10",
            "scatterRows adds each row, times its gate if there are gates, to its token, and"
                + " leaves other tokens alone.",
            "that it adds, and that null gates stand for ones.",
            SequenceRules::scatter));
  }

  private static void embed(Workbench at) {
    int[][] sizes = {{0, 1, 1, 0}, {1, 5, 1, 0}, {33, 32, 11, 3}, {1000, 31, 250, 0}};
    for (int[] size : sizes) {
      int tokens = size[0];
      int width = size[1];
      int seqLength = size[2];
      int first = size[3];
      at.trial(
          forward("embed"),
          "tokens %d, dModel %d, seqLength %d, firstPosition %d"
              .formatted(tokens, width, seqLength, first),
          () -> {
            Draw draw = new Draw(1);
            int[] ids = draw.below(7, tokens);
            double[] table = draw.normal(7 * width);
            double[] places = draw.normal((seqLength + first) * width);
            Sums expected = new Sums(tokens * width);
            for (int i = 0; i < tokens * width; i++) {
              int t = i / width;
              expected.add(i, table[ids[t] * width + i % width]);
              expected.add(i, places[(first + t % seqLength) * width + i % width]);
            }
            Tensor out = at.output("out", tokens, width);
            at.dense()
                .embed(
                    at.ints("ids", ids, tokens),
                    new Embeddings(
                        at.floats("tokens", table, 7, width),
                        at.floats("positions", places, seqLength + first, width)),
                    seqLength,
                    first,
                    out,
                    at.stream());
            at.compare("out", out, expected.bounded());
          });
    }
  }

  private static void layerNorm(Workbench at) {
    int[][] sizes = {{0, 5, 0}, {1, 1, 0}, {31, 33, 0}, {33, 1000, 0}, {5, 64, 100}, {1000, 32, 1}};
    for (int[] size : sizes) {
      int rows = size[0];
      int width = size[1];
      at.trial(
          forward("layerNorm"),
          "tokens %d, dModel %d, mean %d deviations".formatted(rows, width, size[2]),
          () -> {
            Draw draw = new Draw(2);
            double[] x = draw.normal(rows * width);
            for (int i = 0; i < x.length; i++) {
              x[i] = (float) (x[i] + size[2]);
            }
            double[] gain = draw.normal(width);
            double[] bias = draw.normal(width);
            Norm norm = new Norm(x, gain, 1e-5f, rows);
            Tensor y = at.output("y", rows, width);
            var statistics =
                new NormStatistics(at.output("mean", rows), at.output("inverseDeviation", rows));
            at.dense()
                .layerNorm(
                    at.floats("x", x, rows, width),
                    new NormWeights(at.floats("gain", gain, width), at.floats("bias", bias, width)),
                    1e-5f,
                    y,
                    statistics,
                    at.stream());
            at.compare("y", y, norm.forward(bias));
            at.compare("mean", statistics.mean(), norm.mean());
            at.compare("inverseDeviation", statistics.inverseDeviation(), norm.inverseDeviation());
          });
    }
  }

  /// Tokens, width, topK.
  static final int[][] ROW_SIZES = {{0, 4, 1}, {1, 1, 1}, {31, 33, 2}, {33, 32, 3}, {1000, 5, 2}};

  /// Assignments of about every other token, in no order, each token once.
  static int[] assignments(int tokens, int topK) {
    Draw draw = new Draw(14);
    int[] order = draw.shuffled(tokens);
    int[] k = draw.below(topK, tokens);
    int[] assignments = new int[(tokens + 1) / 2];
    for (int i = 0; i < assignments.length; i++) {
      assignments[i] = order[i] * topK + k[i];
    }
    return assignments;
  }

  static String label(int[] size) {
    return "tokens %d, dModel %d, topK %d".formatted(size[0], size[1], size[2]);
  }

  private static void gather(Workbench at) {
    for (int[] size : ROW_SIZES) {
      int width = size[1];
      at.trial(
          forward("gatherRows"),
          label(size),
          () -> {
            double[] x = new Draw(15).normal(size[0] * width);
            if (x.length > 0) {
              x[0] = -0.0;
            }
            int[] chosen = assignments(size[0], size[2]);
            double[] expected = new double[chosen.length * width];
            for (int i = 0; i < chosen.length; i++) {
              System.arraycopy(x, chosen[i] / size[2] * width, expected, i * width, width);
            }
            Tensor out = at.output("out", chosen.length, width);
            at.dense()
                .gatherRows(
                    at.floats("x", x, size[0], width),
                    at.ints("assignments", chosen, chosen.length),
                    size[2],
                    out,
                    at.stream());
            at.compareBits("out", out, expected);
          });
    }
  }

  private static void scatter(Workbench at) {
    for (int[] size : ROW_SIZES) {
      for (boolean gated : new boolean[] {true, false}) {
        at.trial(
            forward("scatterRows"),
            label(size) + (gated ? "" : ", no gates"),
            () -> scatter(at, size, gated));
      }
    }
  }

  private static void scatter(Workbench at, int[] size, boolean gated) {
    int tokens = size[0];
    int width = size[1];
    int topK = size[2];
    Draw draw = new Draw(16);
    int[] chosen = assignments(tokens, topK);
    double[] values = draw.normal(chosen.length * width);
    double[] gates = draw.normal(tokens * topK);
    double[] before = draw.normal(tokens * width);
    Sums added = new Sums(tokens * width);
    for (int i = 0; i < values.length; i++) {
      int assignment = chosen[i / width];
      double gate = gated ? gates[assignment] : 1;
      added.add(assignment / topK * width + i % width, gate * values[i]);
    }
    Tensor out = at.accumulator("out", before, tokens, width);
    at.dense()
        .scatterRows(
            at.floats("values", values, chosen.length, width),
            at.ints("assignments", chosen, chosen.length),
            topK,
            gated ? at.floats("gates", gates, tokens, topK) : null,
            out,
            at.stream());
    at.compare("out", out, added.bounded().addedTo(before));
  }
}
