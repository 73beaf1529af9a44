package moe.conformance.rule;

import static moe.conformance.trial.Feature.backward;
import static moe.conformance.trial.Feature.forward;

import java.util.List;
import java.util.Map;
import java.util.Optional;
import moe.conformance.reference.Bounded;
import moe.conformance.reference.Choice;
import moe.conformance.reference.EnergyChoice;
import moe.conformance.reference.Sums;
import moe.conformance.trial.BlockBench;
import moe.conformance.trial.Draw;
import moe.conformance.trial.Violation;
import moe.conformance.trial.Workbench;
import moe.spi.device.Tensor;
import moe.spi.stage.Adaptation;
import moe.spi.stage.LayerSpec;
import moe.spi.stage.Router;
import moe.spi.stage.Routing;

/// The router `energy-ttt`: what it learns while it is used.
final class FastWeightRules {
  private static final int TOKENS = 33;
  private static final int EXPERTS = 6;
  private static final double LAMBDA = 0.5;
  private static final double RATE = 0.25;
  private static final double EVENNESS = 0.125;
  private static final double FAR = 1e6; // a norm that nothing reaches

  private FastWeightRules() {}

  static List<Rule> all() {
    return List.of(
        Rule.must(
            "ROUT-8",
            "energy-ttt applies its fast weights first and then moves them, against the gradient of"
                + " its local objective, no further than ttt_norm.",
            "the second term of the softmax's gradient, and chunks that wait for more tokens.",
            FastWeightRules::local),
        Rule.must(
            "GRAD-14",
            "With ttt = \"lm\", backward of energy-ttt moves its fast weights against the gradient"
                + " of the router's bias in this call alone, and adds that to the bias's as well.",
            "gradients of earlier calls, and that the chunk is counted.",
            FastWeightRules::lm));
  }

  private static Adaptation adaptation(Router router) {
    return router
        .adaptation()
        .orElseThrow(() -> new Violation("%s learns nothing".formatted(EnergyRules.ROUTER)));
  }

  private static Tensor fast(Router router) {
    return Optional.ofNullable(adaptation(router).state().get("fast"))
        .orElseThrow(() -> new Violation("its state has no fast weights called fast"));
  }

  private static void local(Workbench at) {
    for (double norm : new double[] {FAR, 0.0625}) {
      for (int chunk : new int[] {1, 2 * TOKENS}) {
        at.trial(
            forward("router " + EnergyRules.ROUTER),
            "ttt_norm %s, chunk_size %d".formatted(norm, chunk),
            () -> local(at, norm, chunk));
      }
    }
  }

  private static void local(Workbench at, double norm, int chunk) {
    LayerSpec spec = RouterRules.spec(TOKENS, EXPERTS, 2, true, false);
    Draw draw = new Draw(61);
    BlockBench block =
        new BlockBench(at, spec, EnergyRules.factory(at).parameters(spec), draw, true);
    Router router =
        EnergyRules.create(
            at,
            block,
            Map.of(
                "lambda_energy", LAMBDA,
                "ttt", "local",
                "ttt_rate", RATE,
                "ttt_norm", norm,
                "ttt_evenness", EVENNESS,
                "flops_per_byte", 0.5,
                "chunk_size", (long) chunk));
    double[] x = draw.eighths(TOKENS * RouterRules.D_MODEL);
    double[] z = RouterRules.logits(block, x);
    Tensor tokens = at.floats("tokens", x, TOKENS, RouterRules.D_MODEL);
    Routing out = RouterRules.routing(at, TOKENS, spec);
    double further = EnergyRules.further(spec, 0.5);
    EnergyChoice choice = new EnergyChoice(LAMBDA, true, 1, 2, 1, further);
    int calls = Math.max(1, chunk / TOKENS);
    for (int call = 0; call < calls; call++) {
      at.compareExactly("fast weights", fast(router), new double[EXPERTS]);
      router.route(tokens, out, at.stream());
      at.compareExactly("expertIds", out.expertIds(), choice.of(z, new double[EXPERTS], 2).ids());
    }
    double[] costs = new double[EXPERTS];
    for (int e = 0; e < EXPERTS; e++) {
      int went = 0;
      for (int id : at.readInts(out.expertIds())) {
        went += id == e ? 1 : 0;
      }
      // Reading is shared by the tokens of a batch.
      costs[e] = further + (1 - further) * (went == 0 ? 1 : 1.0 / went);
    }
    Bounded gradient = EnergyChoice.localGradient(z, costs, LAMBDA, EVENNESS);
    at.compare("fast weights", fast(router), within(norm, gradient.times(-RATE)));
    if (adaptation(router).progress().updates() != 1) {
      throw new Violation("progress says %s".formatted(adaptation(router).progress()));
    }
    // Applied from the next call on.
    double[] moved = z.clone();
    double[] delta = at.read(fast(router));
    for (int i = 0; i < moved.length; i++) {
      moved[i] += delta[i % EXPERTS];
    }
    router.route(tokens, out, at.stream());
    at.compare("gates", out.gates(), choice.of(moved, new double[EXPERTS], 2).gates());
  }

  /// Brought back to a length.
  private static Bounded within(double norm, Bounded vector) {
    double square = 0;
    for (double value : vector.values()) {
      square += value * value;
    }
    return vector.times(Math.min(1, norm / Math.sqrt(square)));
  }

  private static void lm(Workbench at) {
    at.trial(
        backward("router " + EnergyRules.ROUTER),
        "two calls",
        () -> {
          LayerSpec spec = RouterRules.spec(TOKENS, EXPERTS, 2, true, true);
          Draw draw = new Draw(62);
          BlockBench block = BlockBench.of(at, spec, EnergyRules.factory(at), draw);
          Router router =
              EnergyRules.create(at, block, Map.of("ttt", "lm", "ttt_rate", RATE, "ttt_norm", FAR));
          double[] x = draw.normal(TOKENS * RouterRules.D_MODEL);
          Tensor tokens = at.floats("tokens", x, TOKENS, RouterRules.D_MODEL);
          Routing out = RouterRules.routing(at, TOKENS, spec);
          Tensor dTokens =
              at.accumulator("dTokens", new double[x.length], TOKENS, RouterRules.D_MODEL);
          Sums bias = new Sums(EXPERTS);
          Sums fast = new Sums(EXPERTS);
          for (int call = 0; call < 2; call++) {
            router.route(tokens, out, at.stream());
            double[] dGates = draw.normal(TOKENS * 2);
            router
                .backward()
                .orElseThrow()
                .backward(
                    tokens, out, at.floats("dGates", dGates, TOKENS, 2), dTokens, at.stream());
            int[] ids = at.readInts(out.expertIds());
            Bounded dLogits = Choice.backward(ids, at.read(out.gates()), dGates, 2);
            for (int slot = 0; slot < ids.length; slot++) {
              double d = dLogits.values()[slot];
              bias.add(ids[slot], d, dLogits.magnitudes()[slot]);
              fast.add(ids[slot], -RATE * d, RATE * dLogits.magnitudes()[slot]);
            }
            at.compare("fast weights", fast(router), fast.bounded());
          }
          block.compareGradient("router.bias", bias.bounded());
        });
  }
}
