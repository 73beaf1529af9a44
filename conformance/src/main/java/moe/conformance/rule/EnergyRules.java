package moe.conformance.rule;

import static moe.conformance.trial.Feature.backward;
import static moe.conformance.trial.Feature.forward;

import java.util.List;
import java.util.Map;
import moe.conformance.reference.Choice;
import moe.conformance.reference.EnergyChoice;
import moe.conformance.trial.BlockBench;
import moe.conformance.trial.Draw;
import moe.conformance.trial.NotClaimed;
import moe.conformance.trial.Workbench;
import moe.spi.device.DType;
import moe.spi.device.Tensor;
import moe.spi.stage.LayerSpec;
import moe.spi.stage.Options;
import moe.spi.stage.Router;
import moe.spi.stage.RouterFactory;
import moe.spi.stage.Routing;

/// The router `energy-ttt`, the plugin's or a backend's own: its choice.
final class EnergyRules {
  static final String ROUTER = "energy-ttt";

  /// Operations that cost as much as reading a byte, so that further tokens cost half of a first.
  private static final double FLOPS_PER_BYTE = 0.5;

  private EnergyRules() {}

  static List<Rule> all() {
    return List.of(
        Rule.must(
            "ROUT-6",
            "energy-ttt with λ = 0, no balance bias and no fast weights equals topk to the bit, in"
                + " both directions.",
            "that nothing is added in another order where nothing is weighed.",
            EnergyRules::equalsTopK),
        Rule.must(
            "ROUT-7",
            "energy-ttt chooses by logit, balance bias and relative energy, token by token, and"
                + " with top-p no more experts than reach p.",
            "that an expert is cheaper from the token on that follows its first, and that unused"
                + " slots are −1 with the gate 0.",
            EnergyRules::choosesByEnergy));
  }

  static RouterFactory factory(Workbench at) {
    return at.subject()
        .find(RouterFactory.class, ROUTER)
        .orElseThrow(() -> new NotClaimed("there is no router " + ROUTER));
  }

  static Router create(Workbench at, BlockBench block, Map<String, Object> settings) {
    RouterFactory factory = factory(at);
    return at.own(factory.create(block.context(factory, new Options(settings))));
  }

  private static void equalsTopK(Workbench at) {
    RouterFactory topK = at.subject().stage(RouterFactory.class, Blocks.ROUTER);
    RouterFactory energy = factory(at);
    int[][] sizes = {{0, 5, 2}, {1, 5, 5}, {33, 5, 2}, {33, 64, 8}, {300, 7, 3}};
    for (int[] size : sizes) {
      for (boolean bias : new boolean[] {true, false}) {
        LayerSpec spec = RouterRules.spec(size[0], size[1], size[2], bias, true);
        at.trial(
            backward("router " + ROUTER),
            "tokens %d, experts %d, topK %d%s"
                .formatted(size[0], size[1], size[2], bias ? "" : ", no bias"),
            () -> {
              BlockBench plain = BlockBench.of(at, spec, topK, new Draw(57));
              BlockBench other = BlockBench.of(at, spec, topK, new Draw(57));
              double[] x = new Draw(58).normal(size[0] * RouterRules.D_MODEL);
              double[][] expected = results(at, plain, plain.require(topK), x);
              double[][] actual = results(at, other, other.require(energy), x);
              for (int i = 0; i < expected.length; i++) {
                at.sameBits("result %d".formatted(i), actual[i], expected[i]);
              }
            });
      }
    }
  }

  /// Ids, gates, the gradient of the tokens, and what was added to those of the parameters.
  private static double[][] results(Workbench at, BlockBench block, Router router, double[] x) {
    LayerSpec spec = block.spec();
    int tokens = x.length / spec.dModel();
    Tensor in = at.floats("tokens", x, tokens, spec.dModel());
    Routing out = RouterRules.routing(at, tokens, spec);
    router.route(in, out, at.stream());
    double[] dGates = new Draw(59).normal(tokens * spec.topK());
    Tensor dTokens = at.accumulator("dTokens", new double[x.length], tokens, spec.dModel());
    router
        .backward()
        .orElseThrow()
        .backward(in, out, at.floats("dGates", dGates, tokens, spec.topK()), dTokens, at.stream());
    Map<String, double[]> gradients = block.readGradients();
    return new double[][] {
      at.read(out.expertIds()),
      at.read(out.gates()),
      at.read(dTokens),
      gradients.getOrDefault("router.weight", new double[0]),
      gradients.getOrDefault("router.bias", new double[0])
    };
  }

  private static void choosesByEnergy(Workbench at) {
    int[][] sizes = {{0, 5, 2}, {1, 5, 3}, {33, 5, 2}, {33, 70, 4}, {400, 6, 3}, {9, 64, 64}};
    for (int[] size : sizes) {
      for (double lambda : new double[] {0, 0.125, 0.75, 6}) {
        for (boolean keep : new boolean[] {true, false}) {
          choice(at, size, lambda, keep, lambda == 0.75 ? 1 : 0.7);
        }
      }
    }
  }

  /// ĉ of a further token at an expert, if that of a first is 1: experts are of one size.
  static double further(LayerSpec spec, double flopsPerByte) {
    double bytes = (spec.training() ? DType.F32 : spec.weights()).bytes();
    return 2 / (flopsPerByte * bytes + 2); // two operations a weight
  }

  // Logits are exact in float32 and costs are powers of 2, so equal scores are equal.
  private static void choice(Workbench at, int[] size, double lambda, boolean keep, double mass) {
    LayerSpec spec = RouterRules.spec(size[0], size[1], size[2], true, false);
    int most = mass < 1 ? Math.min(3, spec.topK()) : spec.topK();
    at.trial(
        forward("router " + ROUTER),
        "tokens %d, experts %d, topK %d, lambda %s, keep_top1 %s, p %s"
            .formatted(size[0], size[1], size[2], lambda, keep, mass),
        () -> {
          Draw draw = new Draw(60);
          RouterFactory factory = factory(at);
          BlockBench block = new BlockBench(at, spec, factory.parameters(spec), draw, true);
          Router router =
              create(
                  at,
                  block,
                  Map.of(
                      "lambda_energy", lambda,
                      "keep_top1", keep,
                      "selection", mass < 1 ? "top-p" : "top-k",
                      "p", mass,
                      "max_k", (long) (mass < 1 ? most : 0),
                      "flops_per_byte", FLOPS_PER_BYTE));
          double[] beta = draw.eighths(spec.experts());
          router.balanceBias().ifPresent(bias -> at.write(bias, beta));
          double[] x = draw.eighths(size[0] * RouterRules.D_MODEL);
          Choice expected =
              new EnergyChoice(lambda, keep, mass, most, 1, further(spec, FLOPS_PER_BYTE))
                  .of(RouterRules.logits(block, x), beta, spec.topK());
          Routing out = RouterRules.routing(at, size[0], spec);
          router.route(at.floats("tokens", x, size[0], RouterRules.D_MODEL), out, at.stream());
          at.compareExactly("expertIds", out.expertIds(), expected.ids());
          at.compare("gates", out.gates(), expected.gates());
        });
  }
}
