package moe.conformance.rule;

import static moe.conformance.trial.Feature.forward;

import java.util.Arrays;
import java.util.List;
import moe.conformance.reference.Choice;
import moe.conformance.reference.Dense;
import moe.conformance.trial.BlockBench;
import moe.conformance.trial.Draw;
import moe.conformance.trial.Expect;
import moe.conformance.trial.NotClaimed;
import moe.conformance.trial.Workbench;
import moe.spi.device.Activation;
import moe.spi.device.DType;
import moe.spi.device.Tensor;
import moe.spi.stage.LayerSpec;
import moe.spi.stage.Router;
import moe.spi.stage.RouterFactory;
import moe.spi.stage.Routing;

/// Routers: `topk` to the bit, others by what holds for all.
final class RouterRules {
  static final int D_MODEL = 16;

  private RouterRules() {}

  static List<Rule> all() {
    return List.of(
        Rule.must(
            "ROUT-1",
            "topk chooses the experts with the largest logits, best first, and its gates are the"
                + " softmax over these alone.",
            "the sort of the chosen, and that gates are renormalised.",
            RouterRules::choice),
        Rule.must(
            "ROUT-2",
            "Of equal logits the smaller expert id wins, at every rank.",
            "comparisons with >= where > is needed, and merges of partial results.",
            RouterRules::ties),
        Rule.must(
            "ROUT-3",
            "Logits of NaN or infinity never yield an id out of range or one expert twice, and a"
                + " token of NaN spoils no other token.",
            "what your comparison does with NaN, and the initial value of the best.",
            RouterRules::nonFinite),
        Rule.must(
            "ROUT-4",
            "The balance bias starts at zero, moves the choice, and never enters the gates.",
            "that gates are computed from logits without it.",
            RouterRules::balanceBias));
  }

  static LayerSpec spec(int tokens, int experts, int topK, boolean bias, boolean training) {
    return new LayerSpec(
        tokens + 7, D_MODEL, 8, experts, topK, Activation.GELU, false, bias, DType.F32, training);
  }

  private static void choice(Workbench at) {
    RouterFactory factory = at.subject().stage(RouterFactory.class, Blocks.ROUTER);
    int[][] sizes = {
      {0, 5, 2},
      {1, 1, 1},
      {1, 5, 5},
      {31, 5, 1},
      {32, 5, 2},
      {33, 5, 3},
      {33, 5, 4},
      {33, 64, 1},
      {1000, 64, 8},
      {31, 64, 64}
    };
    for (int[] size : sizes) {
      LayerSpec spec = spec(size[0], size[1], size[2], size[2] != 3, false);
      at.trial(
          forward("router " + Blocks.ROUTER),
          label(size),
          () -> {
            Draw draw = new Draw(51);
            BlockBench block = new BlockBench(at, spec, factory.parameters(spec), draw, true);
            double[] x = draw.eighths(size[0] * D_MODEL);
            Router router = block.require(factory);
            route(at, router, x, logits(block, x), new double[size[1]], spec);
          });
    }
  }

  private static String label(int[] size) {
    return "tokens %d, experts %d, topK %d".formatted(size[0], size[1], size[2]);
  }

  // Exact in float32, because weights and tokens are multiples of 1/8.
  static double[] logits(BlockBench block, double[] x) {
    return Dense.linear(
            x,
            block.weights().getOrDefault("router.weight", new double[0]),
            block.weights().get("router.bias"),
            Activation.NONE,
            x.length / D_MODEL,
            D_MODEL,
            block.spec().experts())
        .values();
  }

  private static void route(
      Workbench at, Router router, double[] x, double[] logits, double[] balance, LayerSpec spec) {
    int tokens = x.length / D_MODEL;
    Choice expected = Choice.of(logits, balance, spec.experts(), spec.topK());
    Routing out = routing(at, tokens, spec);
    router.route(at.floats("tokens", x, tokens, D_MODEL), out, at.stream());
    at.compareExactly("expertIds", out.expertIds(), expected.ids());
    at.compare("gates", out.gates(), expected.gates());
  }

  static Routing routing(Workbench at, int tokens, LayerSpec spec) {
    return new Routing(
        at.indexes("expertIds", tokens, spec.topK()), at.output("gates", tokens, spec.topK()));
  }

  private static void ties(Workbench at) {
    double[][] logits = {
      {3, 3, 3, 3, 3}, {1, 2, 2, 2, 2}, {2, 1, 2, 1, 2}, {-1, -1, 0, 0, -1}, {0, -0.0, 0, -0.0, 0}
    };
    for (double[] row : logits) {
      for (int topK = 1; topK <= row.length; topK++) {
        given(at, row, topK);
      }
    }
    double[] many = new double[64];
    Arrays.fill(many, 0.5);
    given(at, many, 8);
  }

  // A router whose weight is zero and whose bias are these logits.
  private static void given(Workbench at, double[] logits, int topK) {
    RouterFactory factory = at.subject().stage(RouterFactory.class, Blocks.ROUTER);
    int tokens = 33;
    LayerSpec spec = spec(tokens, logits.length, topK, true, false);
    at.trial(
        forward("router " + Blocks.ROUTER),
        "logits %s, topK %d".formatted(Arrays.toString(logits), topK),
        () -> {
          BlockBench block = withBias(at, factory, spec, logits);
          double[] all = new double[tokens * logits.length];
          for (int i = 0; i < all.length; i++) {
            all[i] = logits[i % logits.length];
          }
          double[] x = new double[tokens * D_MODEL];
          route(at, block.require(factory), x, all, new double[logits.length], spec);
        });
  }

  private static BlockBench withBias(
      Workbench at, RouterFactory factory, LayerSpec spec, double[] logits) {
    BlockBench block = new BlockBench(at, spec, factory.parameters(spec), new Draw(52), true);
    at.stream().zero(block.parameters().get("router.weight").value());
    at.write(block.parameters().get("router.bias").value(), logits);
    return block;
  }

  private static void nonFinite(Workbench at) {
    double infinite = Double.POSITIVE_INFINITY;
    given(at, new double[] {-infinite, 2, -infinite, -infinite, 1}, 4);
    given(at, new double[] {1e30f, -1e30f, -infinite, 0, 0}, 3);
    double nan = Double.NaN;
    for (double[] logits :
        new double[][] {
          {nan, 1, nan, 2, nan}, {nan, nan, nan, nan, nan}, {infinite, nan, -infinite, 0, 1}
        }) {
      for (int topK : new int[] {1, 2, 5}) {
        RouterFactory factory = at.subject().stage(RouterFactory.class, Blocks.ROUTER);
        LayerSpec spec = spec(5, logits.length, topK, true, false);
        at.trial(
            forward("router " + Blocks.ROUTER),
            "logits %s, topK %d".formatted(Arrays.toString(logits), topK),
            () -> {
              Router router = withBias(at, factory, spec, logits).require(factory);
              Routing out = routing(at, 5, spec);
              Tensor tokens = at.floats("tokens", new double[5 * D_MODEL], 5, D_MODEL);
              router.route(tokens, out, at.stream());
              checkIds(at.readInts(out.expertIds()), spec, false);
            });
      }
    }
    spoiled(at);
  }

  private static void spoiled(Workbench at) {
    RouterFactory factory = at.subject().stage(RouterFactory.class, Blocks.ROUTER);
    LayerSpec spec = spec(33, 5, 2, true, false);
    at.trial(
        forward("router " + Blocks.ROUTER),
        "token 7 of 33 is NaN",
        () -> {
          Draw draw = new Draw(53);
          BlockBench block = new BlockBench(at, spec, factory.parameters(spec), draw, true);
          double[] x = draw.eighths(33 * D_MODEL);
          double[] logits = logits(block, x);
          Arrays.fill(x, 7 * D_MODEL, 8 * D_MODEL, Double.NaN);
          Routing out = routing(at, 33, spec);
          Tensor tokens = at.floats("tokens", x, 33, D_MODEL);
          block.require(factory).route(tokens, out, at.stream());
          int[] ids = at.readInts(out.expertIds());
          checkIds(ids, spec, false);
          int[] expected = Choice.of(logits, new double[5], 5, 2).ids();
          System.arraycopy(ids, 14, expected, 14, 2);
          at.compareExactly("expertIds", out.expertIds(), expected);
        });
  }

  static void checkIds(int[] ids, LayerSpec spec, boolean mayBeUnused) {
    for (int slot = 0; slot < ids.length; slot++) {
      int id = ids[slot];
      Expect.that(
          id < spec.experts() && id >= (mayBeUnused ? -1 : 0),
          "expertIds[%d] is %d, with %d experts",
          slot,
          id,
          spec.experts());
      for (int other = slot / spec.topK() * spec.topK(); other < slot; other++) {
        Expect.that(
            id < 0 || id != ids[other], "token %d has expert %d twice", slot / spec.topK(), id);
      }
    }
  }

  private static void balanceBias(Workbench at) {
    RouterFactory factory = at.subject().stage(RouterFactory.class, Blocks.ROUTER);
    LayerSpec spec = spec(33, 5, 2, true, false);
    at.trial(
        forward("router " + Blocks.ROUTER),
        "with a balance bias",
        () -> {
          Draw draw = new Draw(54);
          BlockBench block = new BlockBench(at, spec, factory.parameters(spec), draw, true);
          Router router = block.require(factory);
          Tensor bias =
              router
                  .balanceBias()
                  .orElseThrow(() -> new NotClaimed("the router has no balance bias"));
          at.compareExactly("balanceBias", bias, new double[5]);
          double[] x = draw.eighths(33 * D_MODEL);
          double[] moved = {-1, 0.5, 4, 0, 0.25};
          at.write(bias, moved);
          route(at, router, x, logits(block, x), moved, spec);
        });
  }
}
