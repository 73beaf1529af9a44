package moe.conformance.rule;

import java.util.List;
import moe.conformance.reference.Experts;
import moe.conformance.reference.Mixture;
import moe.conformance.trial.BlockBench;
import moe.conformance.trial.Draw;
import moe.conformance.trial.Feature;
import moe.conformance.trial.NotClaimed;
import moe.conformance.trial.Pass;
import moe.conformance.trial.Routed;
import moe.conformance.trial.Workbench;
import moe.spi.device.Activation;
import moe.spi.device.DType;
import moe.spi.device.Tensor;
import moe.spi.stage.FusedMoe;
import moe.spi.stage.FusedMoeFactory;
import moe.spi.stage.LayerSpec;
import moe.spi.stage.Routing;

/// Fusions of dispatcher, executor and combiner for feed-forward experts, and their gradients.
final class FusionRules {
  private FusionRules() {}

  static List<Rule> all() {
    return List.of(
        Rule.must(
            "FUSE-1",
            "A fusion gives what dispatcher, executor and combiner give one after the other, for"
                + " any sizes and any distribution over the experts.",
            "tiles that reach beyond an expert's rows, and tokens with unused slots.",
            FusionRules::plain),
        Rule.must(
            "FUSE-2",
            "Each activation, the gated form, and experts without biases are right or refused.",
            "which of the two products of the gated form goes through the activation.",
            FusionRules::variants),
        Rule.must(
            "FUSE-3",
            "Experts stored as BF16 give what their weights as stored give, or are refused.",
            "that a BF16 is the upper half of a float32.",
            FusionRules::halves),
        Rule.must(
            "FUSE-4",
            "A token of NaN spoils no other token.",
            "sums over several rows, and products with 0 in place of a mask.",
            FusionRules::spoiled),
        Rule.must(
            "FUSE-5",
            "A small batch after a large one, and weights that changed between, give what they"
                + " would give alone.",
            "what the stage keeps from one call to the next.",
            FusionRules::later),
        Rule.must(
            "GRAD-12",
            "The fusion's backward gives the gradient of the gates and adds to those of tokens and"
                + " parameters.",
            "what accumulates, and the gates of unused slots, which get 0.",
            FusionRules::gradients));
  }

  /// Fusions for the standard experts.
  private static List<FusedMoeFactory> fusions(Workbench at) {
    List<FusedMoeFactory> found =
        at.subject().stages(FusedMoeFactory.class).stream()
            .filter(factory -> factory.experts().equals(Blocks.EXPERTS))
            .toList();
    if (found.isEmpty()) {
      throw new NotClaimed("there is no fusion for experts " + Blocks.EXPERTS);
    }
    return found;
  }

  private static void plain(Workbench at) {
    for (Blocks.Size size : Blocks.SIZES) {
      run(at, size, size.inference(), -1);
    }
  }

  private static void variants(Workbench at) {
    for (Blocks.Size size : Blocks.FEW) {
      for (Activation activation : Activation.values()) {
        for (boolean gated : new boolean[] {false, true}) {
          run(at, size, size.spec(activation, gated, gated, DType.F32, false), -1);
        }
      }
    }
  }

  private static void halves(Workbench at) {
    List<FusedMoeFactory> fusions = fusions(at);
    ExpertRules.requireHalves(at, fusions, "fusion " + fusions.getFirst().name());
    for (Blocks.Size size : Blocks.FEW) {
      for (boolean gated : new boolean[] {false, true}) {
        run(at, size, size.spec(Activation.GELU, gated, true, DType.BF16, false), -1);
      }
    }
  }

  private static void spoiled(Workbench at) {
    for (Blocks.Size size : Blocks.FEW) {
      if (size.tokens() > 7) {
        run(at, size, size.inference(), 7);
      }
    }
  }

  private static void run(Workbench at, Blocks.Size size, LayerSpec spec, int spoiled) {
    for (FusedMoeFactory factory : fusions(at)) {
      at.trial(
          new Feature("fusion " + factory.name(), spec.weights(), Pass.FORWARD),
          ExpertRules.label(size, spec)
              + (spoiled < 0 ? "" : ", token %d is NaN".formatted(spoiled)),
          () -> {
            BlockBench block = BlockBench.of(at, spec, factory, new Draw(91));
            double[] x = size.x();
            if (spoiled >= 0) {
              x[spoiled * size.dModel()] = Double.NaN;
            }
            block
                .create(factory)
                .ifPresent(fusion -> forward(at, block, fusion, size.routed(spec), x));
          });
    }
  }

  private static void forward(
      Workbench at, BlockBench block, FusedMoe fusion, Routed routed, double[] x) {
    int tokens = routed.tokens();
    int width = routed.spec().dModel();
    Tensor out = at.output("out", tokens, width);
    fusion.run(at.floats("tokens", x, tokens, width), routed.routing(at), out, at.stream());
    at.compare("out", out, mixture(at, block, routed, x).forward());
  }

  private static Mixture mixture(Workbench at, BlockBench block, Routed routed, double[] x) {
    Experts experts = new Experts(block.spec(), block.weights(), at.tolerance());
    return new Mixture(block.spec(), experts, x, routed.ids(), routed.gates());
  }

  private static void later(Workbench at) {
    Blocks.Size size = Blocks.FEW.getLast();
    for (FusedMoeFactory factory : fusions(at)) {
      for (LayerSpec spec : List.of(size.inference(), size.training())) {
        at.trial(
            Feature.forward("fusion " + factory.name()),
            "%s, later 5 tokens, weights changed, then 0 tokens".formatted(size),
            () -> {
              Draw draw = new Draw(92);
              BlockBench block = BlockBench.of(at, spec, factory, draw);
              FusedMoe fusion = block.create(factory).orElse(null);
              if (fusion != null) {
                for (int tokens : new int[] {size.tokens(), 5, 0, 5}) {
                  double[] x = draw.normal(tokens * size.dModel());
                  Routed routed = Routed.of(spec, tokens, size.pattern(), draw);
                  forward(at, block, fusion, routed, x);
                  block.redraw(draw);
                }
              }
            });
      }
    }
  }

  private static void gradients(Workbench at) {
    for (FusedMoeFactory factory : fusions(at)) {
      for (Blocks.Size size : Blocks.FEW) {
        for (Activation activation : Activation.values()) {
          for (boolean gated : new boolean[] {false, true}) {
            LayerSpec spec = size.spec(activation, gated, !gated, DType.F32, true);
            at.trial(
                Feature.backward("fusion " + factory.name()),
                ExpertRules.label(size, spec),
                () -> gradients(at, BlockBench.of(at, spec, factory, new Draw(93)), factory, size));
          }
        }
      }
    }
  }

  private static void gradients(
      Workbench at, BlockBench block, FusedMoeFactory factory, Blocks.Size size) {
    FusedMoe fusion = block.create(factory).orElse(null);
    if (fusion == null) {
      return;
    }
    FusedMoe.Backward backward = fusion.backward().orElse(null);
    if (backward == null) {
      at.refused("it has no backward");
      throw new NotClaimed("fusion %s has no backward".formatted(factory.name()));
    }
    int tokens = size.tokens();
    int width = size.dModel();
    Routed routed = size.routed(block.spec());
    double[] x = size.x();
    Draw draw = new Draw(94);
    double[] d = draw.normal(tokens * width);
    double[] before = draw.normal(tokens * width);
    Tensor input = at.floats("tokens", x, tokens, width);
    Routing routing = routed.routing(at);
    Tensor out = at.output("out", tokens, width);
    fusion.run(input, routing, out, at.stream());
    Tensor dGates = at.output("dGates", tokens, size.topK());
    Tensor dTokens = at.accumulator("dTokens", before, tokens, width);
    Tensor dOut = at.floats("dOut", d, tokens, width);
    backward.backward(input, routing, dOut, dGates, dTokens, at.stream());
    Mixture mixture = mixture(at, block, routed, x);
    Mixture.Gradients expected = mixture.backward(d);
    at.compare("dGates", dGates, expected.gates());
    at.compare("dTokens", dTokens, expected.tokens().addedTo(before));
    block.compareGradients(mixture.experts().gradients());
  }
}
