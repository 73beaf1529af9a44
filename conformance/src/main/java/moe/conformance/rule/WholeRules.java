package moe.conformance.rule;

import static moe.conformance.trial.Feature.backward;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import moe.conformance.reference.Choice;
import moe.conformance.reference.Dense;
import moe.conformance.reference.Experts;
import moe.conformance.reference.Mixture;
import moe.conformance.trial.BlockBench;
import moe.conformance.trial.Draw;
import moe.conformance.trial.NotClaimed;
import moe.conformance.trial.Routed.Pattern;
import moe.conformance.trial.Tolerance;
import moe.conformance.trial.Violation;
import moe.conformance.trial.Workbench;
import moe.spi.device.Activation;
import moe.spi.device.DType;
import moe.spi.device.Tensor;
import moe.spi.stage.LayerSpec;
import moe.spi.stage.ParameterSpec;

/// A whole block by finite differences, and bits that come back.
final class WholeRules {
  private static final Blocks.Size SIZE = new Blocks.Size(33, 16, 24, 5, 2, Pattern.RANDOM);

  /// Central differences of the reference in double precision: a step squared is 1e-10, and the
  /// rounding of a double over a step 1e-11.
  private static final double STEP = 1e-5;

  /// What a direction picks of a gradient is right to so many times the error of its norm.
  private static final double DIRECTION = 4;

  private WholeRules() {}

  static List<Rule> all() {
    return List.of(
        Rule.must(
            "GRAD-13",
            "The gradient of a whole block, router to output, is the slope of the block: it agrees"
                + " with central differences of the reference in random directions.",
            "the order of the backward passes, and that the router sees the gradient of the gates.",
            WholeRules::slope),
        Rule.must(
            "DET-1",
            "Where DETERMINISTIC is claimed, dense operations give the same bits twice, forward and"
                + " backward.",
            "sums whose order depends on threads or atomic additions.",
            Twice::dense),
        Rule.must(
            "DET-2",
            "Where DETERMINISTIC is claimed, a block gives the same bits twice, forward and"
                + " backward, on every path.",
            "sums whose order depends on threads or atomic additions.",
            Twice::block));
  }

  private static void slope(Workbench at) {
    for (Path path : Path.of(at.subject())) {
      for (boolean gated : new boolean[] {false, true}) {
        LayerSpec spec = SIZE.spec(Activation.SILU, gated, true, DType.F32, true);
        at.trial(
            backward("block " + path.name()),
            SIZE + (gated ? ", gated" : ""),
            () -> slope(at, path, spec));
      }
    }
  }

  private static void slope(Workbench at, Path path, LayerSpec spec) {
    Draw draw = new Draw(141);
    List<ParameterSpec> declared = path.parameters(spec);
    BlockBench block = new BlockBench(at, spec, declared, draw, false);
    Optional<BlockRun> made = path.create(block);
    if (made.isEmpty()) {
      at.refused("it does not train");
      throw new NotClaimed("path %s does not train".formatted(path.name()));
    }
    BlockRun run = made.get();
    Map<String, double[]> point = new LinkedHashMap<>(block.weights());
    double[] x = SIZE.x();
    double[] dOut = draw.normal(x.length);
    point.put("", x);
    Tensor tokens = at.floats("tokens", x, SIZE.tokens(), SIZE.dModel());
    BlockRun.Buffers buffers = BlockRun.Buffers.of(at, spec, SIZE.tokens());
    run.forward(at, tokens, buffers);
    Tensor dTokens = at.accumulator("dTokens", new double[x.length], SIZE.tokens(), SIZE.dModel());
    Tensor gradientOfOut = at.floats("dOut", dOut, SIZE.tokens(), SIZE.dModel());
    run.backward(at, tokens, gradientOfOut, dTokens, buffers);
    Map<String, double[]> gradient = new LinkedHashMap<>(block.readGradients());
    gradient.put("", at.read(dTokens));
    int[] ids = at.readInts(buffers.routing().expertIds());
    double tolerance = DIRECTION * Tolerance.of(at.backend().precision()).norm();
    for (int direction = 0; direction < 5; direction++) {
      Map<String, double[]> along = new LinkedHashMap<>();
      double product = 0;
      double norms = 0;
      for (Map.Entry<String, double[]> part : point.entrySet()) {
        double[] v = draw.normal(part.getValue().length);
        along.put(part.getKey(), v);
        double[] g = gradient.getOrDefault(part.getKey(), new double[0]);
        for (int i = 0; i < v.length; i++) {
          product += g[i] * v[i];
          norms += Math.abs(g[i] * v[i]);
        }
      }
      double up = loss(spec, moved(point, along, STEP), ids, dOut);
      double down = loss(spec, moved(point, along, -STEP), ids, dOut);
      double slope = (up - down) / (2 * STEP);
      if (!(Math.abs(product - slope) <= tolerance * norms)) {
        throw new Violation(
            "in direction %d the gradient says %.9g, central differences %.9g, off by %.1e"
                .formatted(direction, product, slope, Math.abs(product - slope) / norms));
      }
    }
  }

  private static Map<String, double[]> moved(
      Map<String, double[]> point, Map<String, double[]> along, double step) {
    Map<String, double[]> moved = new LinkedHashMap<>();
    point.forEach((name, values) -> {
      double[] v = along.getOrDefault(name, values);
      double[] next = values.clone();
      for (int i = 0; i < next.length; i++) {
        next[i] += step * v[i];
      }
      moved.put(name, next);
    });
    return moved;
  }

  // Σ dOut·block(x), with the experts that the device chose.
  private static double loss(
      LayerSpec spec, Map<String, double[]> point, int[] ids, double[] dOut) {
    double[] x = point.getOrDefault("", new double[0]);
    double[] logits =
        Dense.linear(
                x,
                point.getOrDefault("router.weight", new double[0]),
                point.get("router.bias"),
                Activation.NONE,
                SIZE.tokens(),
                spec.dModel(),
                spec.experts())
            .values();
    double[] gates = Choice.gates(logits, ids, spec.experts(), spec.topK());
    Map<String, double[]> weights = new LinkedHashMap<>(point);
    weights.keySet().removeIf(name -> !name.startsWith("experts."));
    double[] out = new Mixture(spec, new Experts(spec, weights), x, ids, gates).forward().values();
    double sum = 0;
    for (int i = 0; i < out.length; i++) {
      sum += out[i] * dOut[i];
    }
    return sum;
  }
}
