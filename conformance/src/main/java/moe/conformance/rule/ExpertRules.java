package moe.conformance.rule;

import java.util.List;
import java.util.Map;
import moe.conformance.reference.Experts;
import moe.conformance.reference.Sums;
import moe.conformance.trial.BlockBench;
import moe.conformance.trial.Draw;
import moe.conformance.trial.Expect;
import moe.conformance.trial.Feature;
import moe.conformance.trial.NotClaimed;
import moe.conformance.trial.Pass;
import moe.conformance.trial.Routed;
import moe.conformance.trial.Workbench;
import moe.spi.Support;
import moe.spi.device.Activation;
import moe.spi.device.Capability;
import moe.spi.device.DType;
import moe.spi.device.Tensor;
import moe.spi.stage.Dispatched;
import moe.spi.stage.ExpertExecutor;
import moe.spi.stage.ExpertExecutorFactory;
import moe.spi.stage.LayerSpec;
import moe.spi.stage.StageFactory;

/// The executor of feed-forward experts, and its gradient.
final class ExpertRules {
  private ExpertRules() {}

  static List<Rule> all() {
    return List.of(
        Rule.must(
            "EXPE-1",
            "fused-ffn applies its expert to every row, for any sizes, for an expert with all rows"
                + " or none, and writes no row beyond the last.",
            "tiles that reach beyond an expert's rows.",
            ExpertRules::plain),
        Rule.must(
            "EXPE-2",
            "fused-ffn offers GELU with biases; each further activation, the gated form, and"
                + " experts without biases are right or refused.",
            "which of the two products of the gated form goes through the activation.",
            ExpertRules::variants),
        Rule.must(
            "EXPE-3",
            "Experts stored as BF16 give what their weights as stored give, or are refused.",
            "that a BF16 is the upper half of a float32.",
            ExpertRules::halves),
        Rule.must(
            "EXPE-4",
            "A token of NaN spoils no other token.",
            "sums over several rows, and products with 0 in place of a mask.",
            ExpertRules::spoiled),
        Rule.must(
            "EXPE-5",
            "Weights are read at each call: the engine changes them in place.",
            "copies that the stage made of its parameters when it was created.",
            ExpertRules::changedWeights),
        Rule.must(
            "GRAD-10",
            "The executor's backward gives the gradient of the rows and adds to those of all"
                + " parameters.",
            "that gradients of weights accumulate, and those of rows do not.",
            ExpertRules::gradients));
  }

  private static String name(ExpertExecutorFactory factory) {
    return "experts " + factory.name();
  }

  private static void plain(Workbench at) {
    for (Blocks.Size size : Blocks.SIZES) {
      run(at, size, size.inference(), -1, false);
    }
  }

  private static void variants(Workbench at) {
    for (Blocks.Size size : Blocks.FEW) {
      for (Activation activation : Activation.values()) {
        for (boolean gated : new boolean[] {false, true}) {
          run(at, size, size.spec(activation, gated, gated, DType.F32, false), -1, false);
        }
      }
    }
  }

  private static void halves(Workbench at) {
    ExpertExecutorFactory experts = at.subject().stage(ExpertExecutorFactory.class, Blocks.EXPERTS);
    requireHalves(at, List.of(experts), name(experts));
    for (Blocks.Size size : Blocks.FEW) {
      for (boolean gated : new boolean[] {false, true}) {
        run(at, size, size.spec(Activation.GELU, gated, true, DType.BF16, false), -1, false);
      }
    }
  }

  /// Ends the rule where the backend has no BF16 and the stages say so.
  static void requireHalves(Workbench at, List<? extends StageFactory<?>> stages, String name) {
    if (at.claims(Capability.BF16_WEIGHTS)) {
      return;
    }
    LayerSpec spec = Blocks.FEW.getLast().spec(Activation.GELU, false, true, DType.BF16, false);
    for (StageFactory<?> stage : stages) {
      Expect.that(
          stage.backend().equals(StageFactory.ANY_BACKEND)
              || stage.supports(spec, at.backend()) instanceof Support.No,
          "%s supports BF16 weights, and the backend does not claim BF16_WEIGHTS",
          stage.name());
    }
    String reason = "BF16_WEIGHTS is not claimed";
    at.refused(new Feature(name, DType.BF16, Pass.FORWARD), reason);
    throw new NotClaimed(reason);
  }

  private static void spoiled(Workbench at) {
    for (Blocks.Size size : Blocks.FEW) {
      if (size.tokens() > 7) {
        run(at, size, size.inference(), 7, false);
      }
    }
  }

  private static void changedWeights(Workbench at) {
    run(at, Blocks.FEW.getLast(), Blocks.FEW.getLast().inference(), -1, true);
  }

  /// @param spoiled the token that is NaN, −1 for none
  /// @param changes whether weights change between two calls
  private static void run(
      Workbench at, Blocks.Size size, LayerSpec spec, int spoiled, boolean changes) {
    ExpertExecutorFactory factory = at.subject().stage(ExpertExecutorFactory.class, Blocks.EXPERTS);
    at.trial(
        new Feature(name(factory), spec.weights(), Pass.FORWARD),
        label(size, spec) + (spoiled < 0 ? "" : ", token %d is NaN".formatted(spoiled)),
        () -> {
          Draw draw = new Draw(81);
          BlockBench block = BlockBench.of(at, spec, factory, draw);
          boolean standard = spec.equals(size.inference());
          ExpertExecutor executor =
              standard ? block.require(factory) : block.create(factory).orElse(null);
          if (executor != null) {
            double[] x = size.x();
            if (spoiled >= 0) {
              x[spoiled * size.dModel()] = Double.NaN;
            }
            execute(at, block, executor, size, x);
            if (changes) {
              block.redraw(draw);
              execute(at, block, executor, size, x);
            }
          }
        });
  }

  static String label(Blocks.Size size, LayerSpec spec) {
    return "%s, %s%s%s"
        .formatted(
            size, spec.activation(), spec.gated() ? ", gated" : "", spec.bias() ? "" : ", no bias");
  }

  private static void execute(
      Workbench at, BlockBench block, ExpertExecutor executor, Blocks.Size size, double[] x) {
    Routed routed = size.routed(block.spec());
    int slots = routed.ids().length;
    Tensor rows = at.output("expertRows", slots, size.dModel());
    Tensor tokens = at.floats("tokens", x, size.tokens(), size.dModel());
    Dispatched dispatched = routed.dispatched(at, x, executor.needsRows());
    executor.execute(tokens, dispatched, rows, at.stream());
    Experts experts = new Experts(block.spec(), block.weights(), at.tolerance());
    int used = routed.plan().rows();
    Sums expected = new Sums(used * size.dModel());
    for (int row = 0; row < used; row++) {
      int slot = routed.plan().assignments()[row];
      int from = slot / size.topK() * size.dModel();
      experts.forward(routed.ids()[slot], x, from, 1, expected, row * size.dModel());
    }
    at.compare("expertRows", rows.slice(0, used), expected.bounded());
    at.untouched("expertRows beyond the last", rows.slice(used, slots));
  }

  private static void gradients(Workbench at) {
    ExpertExecutorFactory factory = at.subject().stage(ExpertExecutorFactory.class, Blocks.EXPERTS);
    for (Blocks.Size size : Blocks.FEW) {
      for (Activation activation : Activation.values()) {
        for (boolean gated : new boolean[] {false, true}) {
          LayerSpec spec = size.spec(activation, gated, !gated, DType.F32, true);
          at.trial(
              Feature.backward(name(factory)),
              label(size, spec),
              () -> gradients(at, BlockBench.of(at, spec, factory, new Draw(82)), factory, size));
        }
      }
    }
  }

  private static void gradients(
      Workbench at, BlockBench block, ExpertExecutorFactory factory, Blocks.Size size) {
    ExpertExecutor executor = block.create(factory).orElse(null);
    if (executor == null) {
      return;
    }
    ExpertExecutor.Backward backward = executor.backward().orElse(null);
    if (backward == null) {
      at.refused("it has no backward");
      throw new NotClaimed("the executor has no backward");
    }
    int width = size.dModel();
    Routed routed = size.routed(block.spec());
    double[] x = size.x();
    int slots = routed.ids().length;
    Tensor rows = at.output("expertRows", slots, width);
    Tensor tokens = at.floats("tokens", x, size.tokens(), width);
    Dispatched dispatched = routed.dispatched(at, x, executor.needsRows());
    executor.execute(tokens, dispatched, rows, at.stream());
    double[] d = new Draw(83).normal(slots * width);
    Tensor dRows = at.output("dRows", slots, width);
    Tensor dExpertRows = at.accumulator("dExpertRows", d, slots, width);
    backward.backward(tokens, dispatched, dExpertRows, dRows, at.stream());
    Experts experts = new Experts(block.spec(), block.weights(), at.tolerance());
    int used = routed.plan().rows();
    Sums expected = new Sums(used * width);
    for (int row = 0; row < used; row++) {
      int slot = routed.plan().assignments()[row];
      int from = slot / size.topK() * width;
      experts.backward(routed.ids()[slot], x, from, 1, d, row * width, expected, row * width);
    }
    at.compare("dRows", dRows.slice(0, used), expected.bounded());
    Map<String, Sums> gradients = experts.gradients();
    block.compareGradients(gradients);
  }
}
