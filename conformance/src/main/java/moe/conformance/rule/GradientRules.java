package moe.conformance.rule;

import static moe.conformance.trial.Feature.backward;

import java.util.List;
import moe.conformance.reference.Bounded;
import moe.conformance.reference.Dense;
import moe.conformance.reference.Norm;
import moe.conformance.reference.Sums;
import moe.conformance.trial.Draw;
import moe.conformance.trial.Workbench;
import moe.spi.device.Activation;
import moe.spi.device.Embeddings;
import moe.spi.device.LinearWeights;
import moe.spi.device.NormStatistics;
import moe.spi.device.NormWeights;
import moe.spi.device.Tensor;

/// Gradients of the dense operations.
final class GradientRules {
  private GradientRules() {}

  static List<Rule> all() {
    return List.of(
        Rule.must(
            "GRAD-1",
            "embedBackward adds the gradient of each row to its id and position, also where an id"
                + " occurs many times.",
            "that two threads never add to one row at a time, and that it adds to what is there.",
            GradientRules::embed),
        Rule.must(
            "GRAD-2",
            "layerNormBackward adds to the gradients of input, gain and bias.",
            "the two means that are subtracted, and that all three gradients accumulate.",
            GradientRules::layerNorm),
        Rule.must(
            "GRAD-3",
            "linearBackward overwrites dX, adds to the gradients of weight and bias, and leaves out"
                + " those that are null.",
            "which gradient accumulates and which does not.",
            GradientRules::linear),
        Rule.must(
            "GRAD-4",
            "activateBackward multiplies by the derivative at x, also in place.",
            "the derivative of GELU's inner cube.",
            GradientRules::activate),
        Rule.must(
            "GRAD-6",
            "scatterRowsBackward gives the gradients of values and gates, also into the values, and"
                + " leaves the gates of other assignments untouched.",
            "that a gate's gradient reads the values before they are overwritten.",
            GradientRules::scatter));
  }

  private static void embed(Workbench at) {
    int[][] sizes = {{0, 1, 1, 3}, {1, 5, 1, 1}, {33, 32, 11, 2}, {1000, 31, 250, 7}};
    for (int[] size : sizes) {
      int tokens = size[0];
      int width = size[1];
      int seqLength = size[2];
      int vocab = size[3];
      at.trial(
          backward("embed"),
          "tokens %d, dModel %d, seqLength %d, vocab %d".formatted(tokens, width, seqLength, vocab),
          () -> {
            Draw draw = new Draw(21);
            int[] ids = draw.below(vocab, tokens);
            double[] dOut = draw.normal(tokens * width);
            double[] table = draw.normal(vocab * width);
            double[] places = draw.normal(seqLength * width);
            Sums dTable = new Sums(vocab * width);
            Sums dPlaces = new Sums(seqLength * width);
            for (int i = 0; i < dOut.length; i++) {
              int t = i / width;
              dTable.add(ids[t] * width + i % width, dOut[i]);
              dPlaces.add(t % seqLength * width + i % width, dOut[i]);
            }
            Embeddings gradients =
                new Embeddings(
                    at.accumulator("gradients.tokens", table, vocab, width),
                    at.accumulator("gradients.positions", places, seqLength, width));
            at.dense()
                .embedBackward(
                    at.ints("ids", ids, tokens),
                    at.floats("dOut", dOut, tokens, width),
                    seqLength,
                    gradients,
                    at.stream());
            at.compare("gradients.tokens", gradients.tokens(), dTable.bounded().addedTo(table));
            at.compare(
                "gradients.positions", gradients.positions(), dPlaces.bounded().addedTo(places));
          });
    }
  }

  private static void layerNorm(Workbench at) {
    int[][] sizes = {{0, 5, 0}, {1, 1, 0}, {31, 33, 0}, {33, 100, 1}, {5, 64, 30}, {1000, 32, 0}};
    for (int[] size : sizes) {
      at.trial(
          backward("layerNorm"),
          "tokens %d, dModel %d, mean %d deviations".formatted(size[0], size[1], size[2]),
          () -> layerNorm(at, size[0], size[1], size[2]));
    }
  }

  private static void layerNorm(Workbench at, int rows, int width, int offset) {
    Draw draw = new Draw(22);
    double[] x = draw.normal(rows * width);
    for (int i = 0; i < x.length; i++) {
      x[i] = (float) (x[i] + offset);
    }
    double[] gain = draw.normal(width);
    double[] bias = draw.normal(width);
    double[] dY = draw.normal(rows * width);
    double[] before = draw.normal(rows * width);
    double[] gainBefore = draw.normal(width);
    double[] biasBefore = draw.normal(width);
    NormWeights weights =
        new NormWeights(at.floats("gain", gain, width), at.floats("bias", bias, width));
    Tensor input = at.floats("x", x, rows, width);
    NormStatistics statistics =
        new NormStatistics(at.output("mean", rows), at.output("inverseDeviation", rows));
    Tensor y = at.output("y", rows, width);
    at.dense().layerNorm(input, weights, 1e-5f, y, statistics, at.stream());
    Tensor dX = at.accumulator("dX", before, rows, width);
    NormWeights gradients =
        new NormWeights(
            at.accumulator("gradients.gain", gainBefore, width),
            at.accumulator("gradients.bias", biasBefore, width));
    at.dense()
        .layerNormBackward(
            at.floats("dY", dY, rows, width),
            input,
            weights,
            statistics,
            dX,
            gradients,
            at.stream());
    Norm norm = new Norm(x, gain, 1e-5f, rows);
    at.compare("dX", dX, norm.input(dY).addedTo(before));
    at.compare("gradients.gain", gradients.gain(), norm.gain(dY).addedTo(gainBefore));
    Bounded columns = Dense.columns(dY, rows, width);
    at.compare("gradients.bias", gradients.bias(), columns.addedTo(biasBefore));
  }

  private static void linear(Workbench at) {
    for (int[] size : DenseRules.LINEAR_SIZES) {
      for (boolean biased : new boolean[] {true, false}) {
        at.trial(
            backward("linear"),
            "rows %d, in %d, out %d%s"
                .formatted(size[0], size[1], size[2], biased ? "" : ", no bias, no dX"),
            () -> linear(at, size[0], size[1], size[2], biased));
      }
    }
  }

  private static void linear(Workbench at, int rows, int in, int out, boolean biased) {
    Draw draw = new Draw(23);
    double[] x = draw.normal(rows * in);
    double[] weight = draw.normal(out * in);
    double[] dY = draw.normal(rows * out);
    double[] weightBefore = draw.normal(out * in);
    double[] biasBefore = draw.normal(out);
    Tensor dX = biased ? at.output("dX", rows, in) : null;
    Tensor dBias = biased ? at.accumulator("gradients.bias", biasBefore, out) : null;
    Tensor bias = biased ? at.floats("bias", biasBefore, out) : null;
    Tensor dWeight = at.accumulator("gradients.weight", weightBefore, out, in);
    at.dense()
        .linearBackward(
            at.floats("dY", dY, rows, out),
            at.floats("x", x, rows, in),
            new LinearWeights(at.floats("weight", weight, out, in), bias),
            dX,
            new LinearWeights(dWeight, dBias),
            at.stream());
    Bounded expected = Dense.linearWeight(dY, x, rows, in, out);
    at.compare("gradients.weight", dWeight, expected.addedTo(weightBefore));
    if (dX != null && dBias != null) {
      at.compare("dX", dX, Dense.linearInput(dY, weight, rows, in, out));
      Bounded columns = Dense.columns(dY, rows, out);
      at.compare("gradients.bias", dBias, columns.addedTo(biasBefore));
    }
  }

  private static void activate(Workbench at) {
    for (Activation activation : Activation.values()) {
      for (int n : new int[] {0, 1, 31, 33, 1000}) {
        at.trial(
            backward("activate"),
            "%s, %d elements".formatted(activation, n),
            () -> {
              Draw draw = new Draw(24);
              double[] x = draw.normal(n, 3);
              double[] dY = draw.normal(n);
              Bounded expected = Dense.activateBackward(activation, x, dY);
              Tensor input = at.floats("x", x, n);
              Tensor dX = at.output("dX", n);
              at.dense()
                  .activateBackward(activation, input, at.floats("dY", dY, n), dX, at.stream());
              at.compare("dX", dX, expected);
              Tensor inPlace = at.accumulator("dY in place", dY, n);
              at.dense().activateBackward(activation, input, inPlace, inPlace, at.stream());
              at.compare("dY in place", inPlace, expected);
            });
      }
    }
  }

  private static void scatter(Workbench at) {
    for (int[] size : SequenceRules.ROW_SIZES) {
      for (boolean inPlace : new boolean[] {false, true}) {
        at.trial(
            backward("scatterRows"),
            SequenceRules.label(size) + (inPlace ? ", in place" : ""),
            () -> scatter(at, size, inPlace));
      }
    }
  }

  private static void scatter(Workbench at, int[] size, boolean inPlace) {
    int tokens = size[0];
    int width = size[1];
    int topK = size[2];
    Draw draw = new Draw(25);
    int[] chosen = SequenceRules.assignments(tokens, topK);
    double[] values = draw.normal(chosen.length * width);
    double[] gates = draw.normal(tokens * topK);
    double[] before = draw.normal(tokens * topK);
    double[] dOut = draw.normal(tokens * width);
    Sums dValues = new Sums(values.length);
    Sums products = new Sums(gates.length);
    double[] untouched = before.clone();
    for (int i = 0; i < values.length; i++) {
      int assignment = chosen[i / width];
      double d = dOut[assignment / topK * width + i % width];
      dValues.add(i, gates[assignment] * d);
      products.add(assignment, d * values[i]);
      untouched[assignment] = 0;
    }
    Tensor rows =
        inPlace
            ? at.accumulator("values in place", values, chosen.length, width)
            : at.floats("values", values, chosen.length, width);
    Tensor dRows = inPlace ? rows : at.output("dValues", chosen.length, width);
    Tensor dGates = at.accumulator("dGates", before, tokens, topK);
    at.dense()
        .scatterRowsBackward(
            at.floats("dOut", dOut, tokens, width),
            rows,
            at.ints("assignments", chosen, chosen.length),
            at.floats("gates", gates, tokens, topK),
            dRows,
            dGates,
            at.stream());
    at.compare("dValues", dRows, dValues.bounded());
    at.compare("dGates", dGates, products.bounded().addedTo(untouched));
  }
}
