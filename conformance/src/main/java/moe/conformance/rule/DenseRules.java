package moe.conformance.rule;

import static moe.conformance.trial.Feature.forward;

import java.util.List;
import moe.conformance.reference.Bounded;
import moe.conformance.reference.Dense;
import moe.conformance.reference.Update;
import moe.conformance.trial.Draw;
import moe.conformance.trial.Expect;
import moe.conformance.trial.Feature;
import moe.conformance.trial.NotClaimed;
import moe.conformance.trial.Pass;
import moe.conformance.trial.Workbench;
import moe.spi.device.Activation;
import moe.spi.device.AdamW;
import moe.spi.device.AdamWState;
import moe.spi.device.Capability;
import moe.spi.device.DType;
import moe.spi.device.Embeddings;
import moe.spi.device.LinearWeights;
import moe.spi.device.Shape;
import moe.spi.device.Tensor;
import moe.spi.error.ErrorKind;
import moe.spi.error.MoeException;

/// Matrix products, element-wise operations and the optimiser.
final class DenseRules {
  private DenseRules() {}

  static List<Rule> all() {
    return List.of(
        Rule.must(
            "DENSE-3",
            "linear multiplies, adds the bias if there is one, and applies the activation, for any"
                + " numbers of rows and columns.",
            "the tails: sizes that are no multiple of your tile, and a bias of null.",
            DenseRules::linear),
        Rule.must(
            "DENSE-4",
            "linear and embed read BF16 weights if BF16_WEIGHTS is claimed; if not, they cannot be"
                + " allocated.",
            "that a BF16 is the upper half of a float32, and what your backend claims.",
            DenseRules::halves),
        Rule.must(
            "DENSE-5",
            "activate applies each function, also in place.",
            "the formulas at Activation: GELU is the one with tanh, RELU keeps NaN.",
            DenseRules::activate),
        Rule.must(
            "DENSE-6",
            "add and multiply work element by element, also into one of their inputs, and round"
                + " once.",
            "the last elements of sizes that are no multiple of your vectors.",
            DenseRules::elementwise),
        Rule.must(
            "DENSE-11",
            "adamW moves parameter and both moments by one step, with rate and corrections read"
                + " from the schedule on the device.",
            "that decay is decoupled and ε is added after the root.",
            DenseRules::adamW),
        Rule.must(
            "DENSE-12",
            "sumOfSquares sums over all elements, whatever the shape.",
            "the last elements, and sums of many parts.",
            DenseRules::sumOfSquares),
        Rule.should(
            "DENSE-13",
            "scale multiplies in place by a number on the device, so that gradients can be clipped;"
                + " if not, it refuses with UNSUPPORTED.",
            "that the factor is read from the device when the operation runs.",
            DenseRules::scale));
  }

  /// Rows, columns in, columns out.
  static final int[][] LINEAR_SIZES = {
    {0, 5, 7}, {1, 1, 1}, {1, 64, 33}, {31, 33, 32}, {32, 32, 31}, {33, 130, 65}, {1000, 31, 33}
  };

  private static void linear(Workbench at) {
    for (int[] size : LINEAR_SIZES) {
      for (Activation activation : Activation.values()) {
        linear(at, size, activation, activation != Activation.SILU, DType.F32);
      }
    }
  }

  private static void linear(
      Workbench at, int[] size, Activation activation, boolean biased, DType type) {
    int rows = size[0];
    int in = size[1];
    int out = size[2];
    at.trial(
        new Feature("linear", type, Pass.FORWARD),
        "rows %d, in %d, out %d, %s%s"
            .formatted(rows, in, out, activation, biased ? "" : ", no bias"),
        () -> {
          Draw draw = new Draw(3);
          double[] x = draw.normal(rows * in);
          double deviation = 1 / Math.sqrt(in);
          double[] weight =
              type == DType.F32
                  ? draw.normal(out * in, deviation)
                  : draw.halves(out * in, deviation);
          double[] bias = biased ? draw.normal(out) : null;
          Tensor y = at.output("y", rows, out);
          at.dense()
              .linear(
                  at.floats("x", x, rows, in),
                  new LinearWeights(
                      at.tensor("weight", type, weight, false, out, in),
                      bias == null ? null : at.floats("bias", bias, out)),
                  activation,
                  y,
                  at.stream());
          at.compare("y", y, Dense.linear(x, weight, bias, activation, rows, in, out));
        });
  }

  private static void halves(Workbench at) {
    if (!at.claims(Capability.BF16_WEIGHTS)) {
      Expect.refused(
          "allocating BF16 without BF16_WEIGHTS",
          () -> at.backend().allocate(DType.BF16, Shape.of(4)).close(),
          ErrorKind.UNSUPPORTED);
      String reason = "BF16_WEIGHTS is not claimed";
      at.refused(new Feature("linear", DType.BF16, Pass.FORWARD), reason);
      at.refused(new Feature("embed", DType.BF16, Pass.FORWARD), reason);
      throw new NotClaimed(reason);
    }
    for (int[] size : LINEAR_SIZES) {
      linear(at, size, Activation.GELU, true, DType.BF16);
    }
    at.trial(
        new Feature("embed", DType.BF16, Pass.FORWARD),
        "tokens 5, dModel 33",
        () -> {
          Draw draw = new Draw(4);
          int[] ids = {6, 0, 3, 3, 1};
          double[] table = draw.halves(7 * 33, 1);
          double[] expected = new double[5 * 33];
          for (int i = 0; i < expected.length; i++) {
            expected[i] = table[ids[i / 33] * 33 + i % 33];
          }
          Tensor out = at.output("out", 5, 33);
          Embeddings tables =
              new Embeddings(
                  at.halves("tokens", table, 7, 33),
                  at.floats("positions", new double[5 * 33], 5, 33));
          at.dense().embed(at.ints("ids", ids, 5), tables, 5, 0, out, at.stream());
          at.compareExactly("out", out, expected);
        });
  }

  private static void activate(Workbench at) {
    for (Activation activation : Activation.values()) {
      for (int n : new int[] {0, 1, 31, 33, 1000}) {
        at.trial(
            forward("activate"),
            "%s, %d elements".formatted(activation, n),
            () -> {
              double[] x = new Draw(5).normal(n, 4);
              Bounded expected = Dense.activate(activation, x);
              Tensor y = at.output("y", n);
              at.dense().activate(activation, at.floats("x", x, n), y, at.stream());
              at.compare("y", y, expected);
              Tensor inPlace = at.accumulator("x in place", x, n);
              at.dense().activate(activation, inPlace, inPlace, at.stream());
              at.compare("x in place", inPlace, expected);
            });
      }
    }
  }

  private static void elementwise(Workbench at) {
    for (int n : new int[] {0, 1, 31, 33, 1000}) {
      Draw draw = new Draw(6);
      double[] a = draw.normal(n);
      double[] b = draw.normal(n);
      double[] sum = new double[n];
      double[] product = new double[n];
      for (int i = 0; i < n; i++) {
        sum[i] = (float) a[i] + (float) b[i];
        product[i] = (float) a[i] * (float) b[i];
      }
      String label = n + " elements";
      at.trial(
          forward("add"),
          label,
          () -> {
            Tensor out = at.output("out", n);
            Tensor x = at.accumulator("a in place", a, n);
            Tensor y = at.accumulator("b in place", b, n);
            at.dense().add(x, y, out, at.stream());
            at.compareExactly("out", out, sum);
            at.dense().add(x, at.floats("b", b, n), x, at.stream());
            at.compareExactly("a in place", x, sum);
            at.dense().add(at.floats("a", a, n), y, y, at.stream());
            at.compareExactly("b in place", y, sum);
          });
      at.trial(
          forward("multiply"),
          label,
          () -> {
            Tensor out = at.output("out", n);
            Tensor x = at.accumulator("a in place", a, n);
            Tensor y = at.accumulator("b in place", b, n);
            at.dense().multiply(x, y, out, at.stream());
            at.compareExactly("out", out, product);
            at.dense().multiply(x, at.floats("b", b, n), x, at.stream());
            at.compareExactly("a in place", x, product);
            at.dense().multiply(at.floats("a", a, n), y, y, at.stream());
            at.compareExactly("b in place", y, product);
          });
    }
  }

  private static void adamW(Workbench at) {
    for (int n : new int[] {0, 1, 33, 1000}) {
      at.trial(
          forward("adamW"),
          n + " elements",
          () -> {
            Draw draw = new Draw(7);
            double[] parameter = draw.normal(n);
            double[] gradient = draw.normal(n);
            double[] first = draw.normal(n, 0.1);
            double[] second = draw.normal(n, 0.1);
            for (int i = 0; i < n; i++) {
              second[i] = Math.abs(second[i]);
            }
            AdamW settings = new AdamW(0.9f, 0.95f, 1e-8f, 0.1f);
            double[] schedule = {(float) 0.01, 1.25, 1.125};
            Update expected = Update.of(parameter, gradient, first, second, settings, schedule);
            Tensor p = at.accumulator("parameter", parameter, n);
            AdamWState state =
                new AdamWState(
                    at.accumulator("first", first, n), at.accumulator("second", second, n));
            at.dense()
                .adamW(
                    p,
                    at.floats("gradient", gradient, n),
                    state,
                    settings,
                    at.floats("schedule", schedule, 3),
                    at.stream());
            at.compare("parameter", p, expected.parameter());
            at.compare("first", state.first(), expected.first());
            at.compare("second", state.second(), expected.second());
          });
    }
  }

  private static void sumOfSquares(Workbench at) {
    for (int n : new int[] {0, 1, 31, 33, 1000, 5003}) {
      at.trial(
          forward("sumOfSquares"),
          n + " elements",
          () -> {
            double[] x = new Draw(8).normal(n);
            Tensor out = at.output("out", 1);
            at.dense().sumOfSquares(at.floats("x", x, 1, n), out, at.stream());
            at.compare("out", out, Dense.sumOfSquares(x));
          });
    }
  }

  private static void scale(Workbench at) {
    for (int n : new int[] {0, 1, 33, 1000}) {
      at.trial(
          forward("scale"),
          n + " elements",
          () -> {
            double[] x = new Draw(9).normal(n);
            Tensor scaled = at.accumulator("x", x, n);
            Tensor factor = at.floats("factor", new double[] {0.375}, 1);
            try {
              at.dense().scale(scaled, factor, at.stream());
            } catch (MoeException e) {
              if (e.kind() == ErrorKind.UNSUPPORTED) {
                at.refused(e.getMessage());
                throw new NotClaimed(e.getMessage());
              }
              throw e;
            }
            at.compare("x", scaled, Bounded.of(x).times(0.375));
          });
    }
  }
}
