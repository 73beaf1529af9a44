package moe.conformance.rule;

import static moe.conformance.trial.Feature.backward;
import static moe.conformance.trial.Feature.forward;

import java.util.List;
import moe.conformance.reference.Bounded;
import moe.conformance.reference.Choice;
import moe.conformance.reference.Sums;
import moe.conformance.trial.BlockBench;
import moe.conformance.trial.Draw;
import moe.conformance.trial.NotClaimed;
import moe.conformance.trial.Violation;
import moe.conformance.trial.Workbench;
import moe.spi.device.Tensor;
import moe.spi.stage.LayerSpec;
import moe.spi.stage.Router;
import moe.spi.stage.RouterFactory;
import moe.spi.stage.Routing;

/// What holds for any router, and the gradient of `topk`.
final class RoutingRules {
  private RoutingRules() {}

  static List<Rule> all() {
    return List.of(
        Rule.must(
            "ROUT-5",
            "Any router writes ids in range, no expert twice, −1 for unused slots, and gates that"
                + " sum to 1.",
            "rows that have fewer experts than slots.",
            RoutingRules::anyRouter),
        Rule.must(
            "GRAD-8",
            "The router's backward adds to the gradients of its weight and bias and of the tokens.",
            "the mean that the softmax subtracts, and unused slots.",
            RoutingRules::backwardPass));
  }

  private static void anyRouter(Workbench at) {
    for (RouterFactory factory : at.subject().stages(RouterFactory.class)) {
      LayerSpec spec = RouterRules.spec(33, 5, 3, true, false);
      at.trial(
          forward("router " + factory.name()),
          "any router",
          () -> {
            Draw draw = new Draw(55);
            BlockBench block = new BlockBench(at, spec, factory.parameters(spec), draw, false);
            Router router = block.create(factory).orElse(null);
            if (router == null) {
              return;
            }
            Routing out = RouterRules.routing(at, 33, spec);
            Tensor tokens =
                at.floats("tokens", draw.normal(33 * RouterRules.D_MODEL), 33, RouterRules.D_MODEL);
            router.route(tokens, out, at.stream());
            int[] ids = at.readInts(out.expertIds());
            RouterRules.checkIds(ids, spec, true);
            double[] gates = at.read(out.gates());
            for (int t = 0; t < 33; t++) {
              double sum = 0;
              int used = 0;
              for (int slot = t * 3; slot < t * 3 + 3; slot++) {
                if (ids[slot] >= 0) {
                  sum += gates[slot];
                  used++;
                }
              }
              // 3 gates of one rounding each, and their sum's.
              if (used > 0 && !(Math.abs(sum - 1) < 8 * 0x1p-24)) {
                throw new Violation("gates of token %d sum to %s".formatted(t, sum));
              }
            }
          });
    }
  }

  private static void backwardPass(Workbench at) {
    RouterFactory factory = at.subject().stage(RouterFactory.class, Blocks.ROUTER);
    for (Blocks.Size size : Blocks.FEW) {
      LayerSpec spec = size.training();
      at.trial(
          backward("router " + Blocks.ROUTER),
          size.toString(),
          () -> {
            Draw draw = new Draw(56);
            BlockBench block = new BlockBench(at, spec, factory.parameters(spec), draw, false);
            Router router = block.create(factory).orElse(null);
            if (router == null) {
              throw new NotClaimed("the router does not train");
            }
            backwardPass(at, block, router, size, draw);
          });
    }
  }

  private static void backwardPass(
      Workbench at, BlockBench block, Router router, Blocks.Size size, Draw draw) {
    Router.Backward gradient = router.backward().orElse(null);
    if (gradient == null) {
      at.refused("it has no backward");
      throw new NotClaimed("the router has no backward");
    }
    double[] x = size.x();
    Tensor tokens = at.floats("tokens", x, size.tokens(), size.dModel());
    Routing routing = RouterRules.routing(at, size.tokens(), block.spec());
    router.route(tokens, routing, at.stream());
    int[] ids = at.readInts(routing.expertIds());
    double[] dGates = draw.normal(ids.length);
    double[] before = draw.normal(x.length);
    Tensor dTokens = at.accumulator("dTokens", before, size.tokens(), size.dModel());
    gradient.backward(
        tokens,
        routing,
        at.floats("dGates", dGates, size.tokens(), size.topK()),
        dTokens,
        at.stream());
    Sums expected = new Sums(x.length);
    Sums dWeight = new Sums(size.experts() * size.dModel());
    Sums dBias = new Sums(size.experts());
    Bounded dLogits = Choice.backward(ids, at.read(routing.gates()), dGates, size.topK());
    double[] weight = block.weights().getOrDefault("router.weight", new double[0]);
    for (int slot = 0; slot < ids.length; slot++) {
      double d = dLogits.values()[slot];
      double magnitude = dLogits.magnitudes()[slot];
      for (int i = 0; i < size.dModel(); i++) {
        int from = slot / size.topK() * size.dModel() + i;
        int to = ids[slot] * size.dModel() + i;
        expected.add(from, d * weight[to], magnitude * Math.abs(weight[to]));
        dWeight.add(to, d * x[from], magnitude * Math.abs(x[from]));
      }
      dBias.add(ids[slot], d, magnitude);
    }
    at.compare("dTokens", dTokens, expected.bounded().addedTo(before));
    block.compareGradient("router.weight", dWeight.bounded());
    block.compareGradient("router.bias", dBias.bounded());
  }
}
