package moe.conformance.rule;

import static moe.conformance.trial.Feature.backward;
import static moe.conformance.trial.Feature.forward;

import java.util.Arrays;
import java.util.List;
import moe.conformance.reference.Sums;
import moe.conformance.trial.BlockBench;
import moe.conformance.trial.Draw;
import moe.conformance.trial.NotClaimed;
import moe.conformance.trial.Routed;
import moe.conformance.trial.Workbench;
import moe.spi.device.Tensor;
import moe.spi.stage.Combiner;
import moe.spi.stage.CombinerFactory;
import moe.spi.stage.LayerSpec;

/// The combiner and its gradient.
final class CombineRules {
  private CombineRules() {}

  static List<Rule> all() {
    return List.of(
        Rule.must(
            "COMB-1",
            "Each token is the sum of its experts' rows times its gates.",
            "that rows are found by positions, and gates by token and k.",
            at -> sums(at, false)),
        Rule.must(
            "COMB-2",
            "Unused slots add nothing, a token without any expert becomes zero, and rows beyond the"
                + " last are never read.",
            "slots whose position is −1.",
            at -> sums(at, true)),
        Rule.must(
            "COMB-3",
            "A NaN in the rows of one token spoils no other token.",
            "sums over several tokens, and products with 0 in place of a skip.",
            CombineRules::spoiled),
        Rule.must(
            "GRAD-11",
            "The combiner's backward gives the gradients of rows and gates, 0 for an unused slot,"
                + " also where the gradient of the rows is the rows.",
            "that a gate's gradient reads the row before it is overwritten.",
            CombineRules::backwardPass));
  }

  private static void sums(Workbench at, boolean unused) {
    CombinerFactory factory = at.subject().stage(CombinerFactory.class, Blocks.COMBINER);
    for (Blocks.Size size : Blocks.SIZES) {
      if (unused == (size.pattern() == Routed.Pattern.UNUSED_SLOTS)) {
        sums(at, factory, size, -1);
      }
    }
  }

  private static void spoiled(Workbench at) {
    CombinerFactory factory = at.subject().stage(CombinerFactory.class, Blocks.COMBINER);
    for (Blocks.Size size : Blocks.FEW) {
      if (size.tokens() > 1) {
        sums(at, factory, size, 7);
      }
    }
  }

  /// @param spoiled the token whose rows are NaN, −1 for none
  private static void sums(Workbench at, CombinerFactory factory, Blocks.Size size, int spoiled) {
    LayerSpec spec = size.inference();
    at.trial(
        forward("combiner " + factory.name()),
        size + (spoiled < 0 ? "" : ", token " + spoiled + " is NaN"),
        () -> {
          BlockBench block =
              new BlockBench(at, spec, factory.parameters(spec), new Draw(71), false);
          Routed routed = size.routed(spec);
          double[] rows = rows(routed, size.dModel(), spoiled);
          Tensor out = at.output("out", size.tokens(), size.dModel());
          block
              .require(factory)
              .combine(
                  at.floats("expertRows", rows, routed.ids().length, size.dModel()),
                  routed.dispatched(at, size.x(), false),
                  routed.routing(at),
                  out,
                  at.stream());
          at.compare("out", out, combined(routed, rows, size.dModel()).bounded());
        });
  }

  // NaN beyond the last row, which nobody may read.
  private static double[] rows(Routed routed, int width, int spoiled) {
    int[] positions = routed.plan().positions();
    double[] rows = new Draw(72).normal(positions.length * width);
    Arrays.fill(rows, routed.plan().rows() * width, rows.length, Double.NaN);
    for (int slot = 0; slot < positions.length; slot++) {
      if (slot / routed.spec().topK() == spoiled && positions[slot] >= 0) {
        Arrays.fill(rows, positions[slot] * width, (positions[slot] + 1) * width, Double.NaN);
      }
    }
    return rows;
  }

  private static Sums combined(Routed routed, double[] rows, int width) {
    Sums out = new Sums(routed.tokens() * width);
    for (int slot = 0; slot < routed.ids().length; slot++) {
      int position = routed.plan().positions()[slot];
      for (int i = 0; i < width && position >= 0; i++) {
        out.add(
            slot / routed.spec().topK() * width + i,
            routed.gates()[slot] * rows[position * width + i]);
      }
    }
    return out;
  }

  private static void backwardPass(Workbench at) {
    CombinerFactory factory = at.subject().stage(CombinerFactory.class, Blocks.COMBINER);
    for (Blocks.Size size : Blocks.FEW) {
      for (boolean inPlace : new boolean[] {false, true}) {
        at.trial(
            backward("combiner " + factory.name()),
            size + (inPlace ? ", in place" : ""),
            () -> {
              LayerSpec spec = size.training();
              BlockBench block =
                  new BlockBench(at, spec, factory.parameters(spec), new Draw(73), false);
              Combiner.Backward gradient =
                  block.create(factory).flatMap(Combiner::backward).orElse(null);
              if (gradient == null) {
                at.refused("it has no backward");
                throw new NotClaimed("the combiner has no backward");
              }
              backwardPass(at, gradient, size.routed(spec), inPlace);
            });
      }
    }
  }

  private static void backwardPass(
      Workbench at, Combiner.Backward gradient, Routed routed, boolean inPlace) {
    int width = routed.spec().dModel();
    int topK = routed.spec().topK();
    int slots = routed.ids().length;
    double[] rows = rows(routed, width, -1);
    double[] dOut = new Draw(74).normal(routed.tokens() * width);
    Sums dRows = new Sums(rows.length);
    Sums dGates = new Sums(slots);
    for (int slot = 0; slot < slots; slot++) {
      int position = routed.plan().positions()[slot];
      for (int i = 0; i < width && position >= 0; i++) {
        double d = dOut[slot / topK * width + i];
        dRows.add(position * width + i, routed.gates()[slot] * d);
        dGates.add(slot, d * rows[position * width + i]);
      }
    }
    Tensor expertRows =
        inPlace
            ? at.accumulator("expertRows in place", rows, slots, width)
            : at.floats("expertRows", rows, slots, width);
    Tensor dExpertRows = inPlace ? expertRows : at.output("dExpertRows", slots, width);
    Tensor dGate = at.output("dGates", routed.tokens(), topK);
    gradient.backward(
        at.floats("dOut", dOut, routed.tokens(), width),
        expertRows,
        routed.dispatched(at, new double[0], false),
        routed.routing(at),
        dExpertRows,
        dGate,
        at.stream());
    at.compare("dGates", dGate, dGates.bounded());
    int used = routed.plan().rows();
    at.compare(
        "dExpertRows", dExpertRows.slice(0, used), Routed.first(dRows.bounded(), used * width));
  }
}
