package moe.conformance.rule;

import static moe.conformance.trial.Feature.backward;
import static moe.conformance.trial.Feature.forward;

import java.util.Arrays;
import java.util.List;
import moe.conformance.reference.Bounded;
import moe.conformance.reference.Dense;
import moe.conformance.reference.Norm;
import moe.conformance.reference.SelfAttention;
import moe.conformance.trial.Draw;
import moe.conformance.trial.Expect;
import moe.conformance.trial.Workbench;
import moe.spi.device.Activation;
import moe.spi.device.AttentionShape;
import moe.spi.device.LinearWeights;
import moe.spi.device.NormStatistics;
import moe.spi.device.NormWeights;
import moe.spi.device.Tensor;

/// NaN, infinities, −0 and numbers far from 1.
final class SpecialRules {
  private static final double NAN = Double.NaN;
  private static final double INFINITE = Double.POSITIVE_INFINITY;

  private SpecialRules() {}

  static List<Rule> all() {
    return List.of(
        Rule.must(
            "DENSE-16",
            "NaN and infinities come out where arithmetic puts them, in every element that they"
                + " reach and in no other.",
            "max and min that drop NaN, and tiles whose padding is multiplied.",
            SpecialRules::reach),
        Rule.must(
            "DENSE-17",
            "Activations and their gradients are right far from zero.",
            "exponentials that overflow, and ∞ · 0.",
            SpecialRules::far),
        Rule.should(
            "DENSE-18",
            "No position sees a later one, even where that is NaN.",
            "products of a masked weight, 0, with a value of NaN.",
            at -> at.trial(forward("attention"), "the last position is NaN", () -> attention(at))));
  }

  private static void reach(Workbench at) {
    for (double special : new double[] {NAN, INFINITE, -INFINITE, -0.0}) {
      String label = "one element is " + special;
      at.trial(forward("linear"), label, () -> linear(at, special));
      at.trial(forward("layerNorm"), label, () -> layerNorm(at, special));
      at.trial(forward("add"), label, () -> elementwise(at, special));
    }
    at.trial(
        forward("crossEntropy"),
        "a logit is NaN",
        () -> {
          double[] x = new Draw(131).normal(3 * 40);
          x[60] = NAN;
          Tensor losses = at.output("losses", 3);
          Tensor targets = at.ints("targets", new int[] {0, 1, 2}, 3);
          Tensor logits = at.floats("logits", x, 3, 40);
          at.dense().crossEntropy(logits, targets, losses, 1, null, at.stream());
          double[] found = at.read(losses);
          Expect.that(Double.isNaN(found[1]), "the loss of its row is %s", found[1]);
          Expect.that(Double.isFinite(found[0]) && Double.isFinite(found[2]), "others are spoiled");
        });
  }

  private static void linear(Workbench at, double special) {
    Draw draw = new Draw(132);
    double[] x = draw.normal(5 * 33);
    x[2 * 33 + 32] = special;
    double[] weight = draw.normal(17 * 33);
    double[] bias = draw.normal(17);
    for (Activation activation : new Activation[] {Activation.NONE, Activation.RELU}) {
      Tensor y = at.output("y", 5, 17);
      LinearWeights weights =
          new LinearWeights(at.floats("weight", weight, 17, 33), at.floats("bias", bias, 17));
      at.dense().linear(at.floats("x", x, 5, 33), weights, activation, y, at.stream());
      at.compare("y", y, Dense.linear(x, weight, bias, activation, 5, 33, 17));
    }
  }

  private static void layerNorm(Workbench at, double special) {
    if (Double.isInfinite(special)) {
      return; // ∞ − ∞ in one order is NaN, in another ∞
    }
    Draw draw = new Draw(133);
    double[] x = draw.normal(5 * 33);
    x[2 * 33 + 32] = special;
    double[] gain = draw.normal(33);
    Tensor y = at.output("y", 5, 33);
    NormStatistics statistics =
        new NormStatistics(at.output("mean", 5), at.output("inverseDeviation", 5));
    NormWeights weights = new NormWeights(at.floats("gain", gain, 33), at.floats("bias", gain, 33));
    Tensor input = at.floats("x", x, 5, 33);
    at.dense().layerNorm(input, weights, 1e-5f, y, statistics, at.stream());
    at.compare("y", y, new Norm(x, gain, 1e-5f, 5).forward(gain));
  }

  private static void elementwise(Workbench at, double special) {
    double[] a = new Draw(134).normal(33);
    a[5] = special;
    a[32] = special;
    double[] sum = new double[33];
    for (int i = 0; i < 33; i++) {
      sum[i] = a[i] + a[32 - i];
    }
    double[] b = new double[33];
    Arrays.setAll(b, i -> a[32 - i]);
    for (int i = 0; i < 33; i++) {
      sum[i] = (float) sum[i];
    }
    Tensor out = at.output("out", 33);
    at.dense().add(at.floats("a", a, 33), at.floats("b", b, 33), out, at.stream());
    at.compareExactly("out", out, sum);
  }

  // No earlier position may see it.
  private static void attention(Workbench at) {
    AttentionShape shape = new AttentionShape(2, 9, 2, 4);
    double[] values = new Draw(135).normal(18 * 24);
    double[] expected = new SelfAttention(values, shape).forward().values();
    Arrays.fill(values, 8 * 24, 9 * 24, NAN);
    Arrays.fill(expected, 8 * 8, 9 * 8, NAN);
    Tensor out = at.output("out", 18, 8);
    at.dense().attention(at.floats("qkv", values, 18, 24), shape, out, null, at.stream());
    double[] magnitudes = new double[expected.length];
    Arrays.fill(magnitudes, 10);
    at.compare("out", out, new Bounded(expected, magnitudes));
  }

  private static void far(Workbench at) {
    for (Activation activation : Activation.values()) {
      at.trial(
          forward("activate"),
          activation + " of large numbers",
          () -> {
            double[] x = {100, -100, 1e4, -1e4, (float) 1e10, (float) -1e10, NAN, 1e-30f};
            Tensor y = at.output("y", x.length);
            at.dense().activate(activation, at.floats("x", x, x.length), y, at.stream());
            at.compare("y", y, Dense.activate(activation, x));
          });
      at.trial(
          backward("activate"),
          activation + " of large numbers",
          () -> {
            double[] x = {100, -100, 1e4, -1e4, 20, -20, 1e-30f};
            double[] dY = {1, 1, -1, -1, 2, 2, 3};
            Tensor dX = at.output("dX", x.length);
            at.dense()
                .activateBackward(
                    activation,
                    at.floats("x", x, x.length),
                    at.floats("dY", dY, x.length),
                    dX,
                    at.stream());
            at.compare("dX", dX, Dense.activateBackward(activation, x, dY));
          });
    }
  }
}
