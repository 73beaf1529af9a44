package moe.conformance.rule;

import static moe.conformance.trial.Feature.backward;
import static moe.conformance.trial.Feature.forward;

import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import moe.conformance.reference.Plan;
import moe.conformance.reference.Sums;
import moe.conformance.trial.BlockBench;
import moe.conformance.trial.Draw;
import moe.conformance.trial.Expect;
import moe.conformance.trial.NotClaimed;
import moe.conformance.trial.Routed;
import moe.conformance.trial.Workbench;
import moe.spi.device.Tensor;
import moe.spi.stage.Dispatched;
import moe.spi.stage.Dispatcher;
import moe.spi.stage.DispatcherFactory;
import moe.spi.stage.LayerSpec;

/// The dispatcher and its gradient.
final class DispatchRules {
  private DispatchRules() {}

  static List<Rule> all() {
    return List.of(
        Rule.must(
            "DISP-1",
            "The plan sorts assignments by expert, ascending within each, for any number of tokens"
                + " from 0 and any distribution over the experts.",
            "that the sort is stable, experts without a token, and the last offset.",
            at -> plans(at, false)),
        Rule.must(
            "DISP-2",
            "An unused slot (−1) gets no row, and its position is −1.",
            "that counting skips negative ids.",
            at -> plans(at, true)),
        Rule.must(
            "DISP-3",
            "A dispatcher that says it copies rows copies each token's row, bit for bit, in the"
                + " order of the plan; one that does not copies nothing.",
            "the division by topK, and what copiesRows returns.",
            DispatchRules::rows),
        Rule.must(
            "GRAD-9",
            "The dispatcher's backward adds the rows of a token's slots to its gradient.",
            "that it adds to what is there, and skips unused slots.",
            DispatchRules::backwardPass));
  }

  private static void plans(Workbench at, boolean unused) {
    DispatcherFactory factory = at.subject().stage(DispatcherFactory.class, Blocks.DISPATCHER);
    for (Blocks.Size size : Blocks.SIZES) {
      if (unused != (size.pattern() == Routed.Pattern.UNUSED_SLOTS)) {
        continue;
      }
      LayerSpec spec = size.inference();
      at.trial(
          forward("dispatcher " + factory.name()),
          size.toString(),
          () -> {
            Routed routed = size.routed(spec);
            Dispatched out = dispatch(at, factory, size, routed).orElseThrow();
            Plan plan = routed.plan();
            at.compareExactly("offsets", out.offsets(), plan.offsets());
            at.compareExactly("positions", out.positions(), plan.positions());
            int[] found = at.readInts(out.assignments());
            at.compareExactly(
                "assignments",
                out.assignments().slice(0, plan.rows()),
                Arrays.copyOf(plan.assignments(), plan.rows()));
            Expect.that(found.length == plan.assignments().length, "assignments changed its size");
          });
    }
  }

  /// The plan, or nothing where a dispatcher that no backend has to offer refuses.
  private static Optional<Dispatched> dispatch(
      Workbench at, DispatcherFactory factory, Blocks.Size size, Routed routed) {
    LayerSpec spec = routed.spec();
    BlockBench block = new BlockBench(at, spec, factory.parameters(spec), new Draw(61), false);
    Dispatcher dispatcher =
        factory.name().equals(Blocks.DISPATCHER)
            ? block.require(factory)
            : block.create(factory).orElse(null);
    if (dispatcher == null) {
      return Optional.empty();
    }
    int slots = routed.ids().length;
    Dispatched out =
        new Dispatched(
            at.indexes("offsets", size.experts() + 1),
            at.indexes("assignments", slots),
            at.indexes("positions", slots),
            dispatcher.copiesRows() ? at.output("rows", slots, size.dModel()) : null);
    Tensor tokens = at.floats("tokens", size.x(), size.tokens(), size.dModel());
    dispatcher.dispatch(tokens, routed.routing(at), out, at.stream());
    return Optional.of(out);
  }

  private static void rows(Workbench at) {
    for (DispatcherFactory factory : at.subject().stages(DispatcherFactory.class)) {
      for (Blocks.Size size : Blocks.FEW) {
        LayerSpec spec = size.inference();
        at.trial(
            forward("dispatcher " + factory.name()),
            size.toString(),
            () -> {
              Routed routed = size.routed(spec);
              Tensor rows = dispatch(at, factory, size, routed).map(Dispatched::rows).orElse(null);
              if (rows != null) {
                int used = routed.plan().rows();
                double[] sorted = routed.sorted(size.x());
                at.compareBits(
                    "rows", rows.slice(0, used), Arrays.copyOf(sorted, used * size.dModel()));
              }
            });
      }
    }
  }

  private static void backwardPass(Workbench at) {
    DispatcherFactory factory = at.subject().stage(DispatcherFactory.class, Blocks.DISPATCHER);
    for (Blocks.Size size : Blocks.FEW) {
      LayerSpec spec = size.training();
      at.trial(
          backward("dispatcher " + factory.name()),
          size.toString(),
          () -> {
            BlockBench block =
                new BlockBench(at, spec, factory.parameters(spec), new Draw(62), false);
            Dispatcher.Backward gradient =
                block.create(factory).flatMap(Dispatcher::backward).orElse(null);
            if (gradient == null) {
              at.refused("it has no backward");
              throw new NotClaimed("the dispatcher has no backward");
            }
            backwardPass(at, gradient, size, size.routed(spec));
          });
    }
  }

  private static void backwardPass(
      Workbench at, Dispatcher.Backward gradient, Blocks.Size size, Routed routed) {
    Draw draw = new Draw(63);
    int width = size.dModel();
    int[] positions = routed.plan().positions();
    // What lies beyond the last row must not be read.
    double[] dRows = draw.normal(positions.length * width);
    Arrays.fill(dRows, routed.plan().rows() * width, dRows.length, Double.NaN);
    double[] before = draw.normal(size.tokens() * width);
    Sums added = new Sums(before.length);
    for (int slot = 0; slot < positions.length; slot++) {
      for (int i = 0; i < width && positions[slot] >= 0; i++) {
        added.add(slot / size.topK() * width + i, dRows[positions[slot] * width + i]);
      }
    }
    Tensor dTokens = at.accumulator("dTokens", before, size.tokens(), width);
    gradient.backward(
        at.floats("dRows", dRows, positions.length, width),
        routed.dispatched(at, size.x(), false),
        dTokens,
        at.stream());
    at.compare("dTokens", dTokens, added.bounded().addedTo(before));
  }
}
