package moe.conformance.rule;

import moe.conformance.trial.Workbench;
import moe.spi.device.Tensor;
import moe.spi.stage.Combiner;
import moe.spi.stage.Dispatched;
import moe.spi.stage.Dispatcher;
import moe.spi.stage.ExpertExecutor;
import moe.spi.stage.FusedMoe;
import moe.spi.stage.LayerSpec;
import moe.spi.stage.Router;
import moe.spi.stage.Routing;

/// The stages of a block at work, as the engine calls them.
sealed interface BlockRun {
  /// What the engine allocates around the stages.
  record Buffers(
      Routing routing,
      Dispatched dispatched,
      Tensor expertRows,
      Tensor out,
      Tensor dRows,
      Tensor dGates) {
    static Buffers of(Workbench at, LayerSpec spec, int tokens) {
      int slots = tokens * spec.topK();
      return new Buffers(
          new Routing(
              at.indexes("expertIds", tokens, spec.topK()),
              at.output("gates", tokens, spec.topK())),
          new Dispatched(
              at.indexes("offsets", spec.experts() + 1),
              at.indexes("assignments", slots),
              at.indexes("positions", slots),
              at.output("rows", slots, spec.dModel())),
          at.output("expertRows", slots, spec.dModel()),
          at.output("out", tokens, spec.dModel()),
          at.output("dRows", slots, spec.dModel()),
          at.output("dGates", tokens, spec.topK()));
    }
  }

  void forward(Workbench at, Tensor tokens, Buffers buffers);

  /// Adds to `dTokens` and the gradients of the parameters.
  void backward(Workbench at, Tensor tokens, Tensor dOut, Tensor dTokens, Buffers buffers);

  /// Router and fusion.
  record Fused(Router router, FusedMoe moe) implements BlockRun {
    @Override
    public void forward(Workbench at, Tensor tokens, Buffers buffers) {
      router.route(tokens, buffers.routing(), at.stream());
      moe.run(tokens, buffers.routing(), buffers.out(), at.stream());
    }

    @Override
    public void backward(
        Workbench at, Tensor tokens, Tensor dOut, Tensor dTokens, Buffers buffers) {
      moe.backward()
          .orElseThrow()
          .backward(tokens, buffers.routing(), dOut, buffers.dGates(), dTokens, at.stream());
      router
          .backward()
          .orElseThrow()
          .backward(tokens, buffers.routing(), buffers.dGates(), dTokens, at.stream());
    }
  }

  /// Router and the three stages.
  record Staged(Router router, Dispatcher dispatcher, ExpertExecutor experts, Combiner combiner)
      implements BlockRun {
    @Override
    public void forward(Workbench at, Tensor tokens, Buffers buffers) {
      router.route(tokens, buffers.routing(), at.stream());
      dispatcher.dispatch(tokens, buffers.routing(), dispatched(buffers), at.stream());
      experts.execute(tokens, dispatched(buffers), buffers.expertRows(), at.stream());
      combiner.combine(
          buffers.expertRows(), dispatched(buffers), buffers.routing(), buffers.out(), at.stream());
    }

    // As in the engine, the gradient of the experts' rows takes the place of the rows.
    @Override
    public void backward(
        Workbench at, Tensor tokens, Tensor dOut, Tensor dTokens, Buffers buffers) {
      Dispatched dispatched = dispatched(buffers);
      Tensor rows = buffers.expertRows();
      combiner
          .backward()
          .orElseThrow()
          .backward(dOut, rows, dispatched, buffers.routing(), rows, buffers.dGates(), at.stream());
      experts
          .backward()
          .orElseThrow()
          .backward(tokens, dispatched, rows, buffers.dRows(), at.stream());
      dispatcher
          .backward()
          .orElseThrow()
          .backward(buffers.dRows(), dispatched, dTokens, at.stream());
      router
          .backward()
          .orElseThrow()
          .backward(tokens, buffers.routing(), buffers.dGates(), dTokens, at.stream());
    }

    private Dispatched dispatched(Buffers buffers) {
      Dispatched with = buffers.dispatched();
      return dispatcher.copiesRows()
          ? with
          : new Dispatched(with.offsets(), with.assignments(), with.positions(), null);
    }
  }
}
