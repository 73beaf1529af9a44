package moe.engine.model;

import moe.engine.metrics.Phase;
import moe.engine.metrics.PhaseClock;
import moe.engine.wiring.MoeStages;
import moe.spi.device.DeviceStream;
import moe.spi.device.Tensor;
import moe.spi.stage.Combiner;
import moe.spi.stage.Dispatched;
import moe.spi.stage.Dispatcher;
import moe.spi.stage.ExpertExecutor;
import moe.spi.stage.LayerSpec;
import moe.spi.stage.Routing;
import org.jspecify.annotations.Nullable;

/// A MoE block of four stages: router, dispatcher, executor, combiner.
final class StagedBlock implements MoeBlock {
  private final MoeStages.Staged stages;
  private final PhaseClock clock;
  private final Tensor in;
  private final Routing routing;
  private final Dispatched dispatched;
  private final Tensor expertRows;
  private final Tensor out;
  private final @Nullable Training training;

  private record Training(
      Tensor dOut,
      Tensor dRows,
      Tensor dGates,
      Tensor dIn,
      Combiner.Backward combiner,
      ExpertExecutor.Backward executor,
      Dispatcher.Backward dispatcher,
      RouterBackward router) {}

  StagedBlock(
      MoeStages.Staged stages, MoeFeedForward block, FeedForwardPorts ports, PassBuffers buffers) {
    LayerSpec spec = block.spec();
    long tokens = ports.tokens();
    long slots = tokens * spec.topK();
    this.stages = stages;
    this.clock = ports.clock();
    this.in = ports.in();
    this.out = ports.out();
    this.routing = block.routing(tokens, buffers);
    this.dispatched =
        new Dispatched(
            buffers.keptIndexes("offsets", spec.experts() + 1),
            buffers.keptIndexes("assignments", slots),
            buffers.keptIndexes("positions", slots),
            stages.dispatcher().copiesRows() ? buffers.kept("rows", slots, spec.dModel()) : null);
    this.expertRows = buffers.kept("expertRows", slots, spec.dModel());
    FeedForwardPorts.Gradients gradients = ports.gradients();
    this.training =
        gradients == null
            ? null
            : new Training(
                gradients.dOut(),
                buffers.shared("dRows", slots, spec.dModel()),
                buffers.shared("dGates", tokens, spec.topK()),
                gradients.dIn(),
                MoeFeedForward.trained(stages.combiner().backward()),
                MoeFeedForward.trained(stages.experts().backward()),
                MoeFeedForward.trained(stages.dispatcher().backward()),
                block.routerBackward());
  }

  @Override
  public void forward(DeviceStream stream) {
    stages.router().route(in, routing, stream);
    clock.lap(Phase.ROUTER);
    stages.dispatcher().dispatch(in, routing, dispatched, stream);
    clock.lap(Phase.DISPATCH);
    stages.experts().execute(in, dispatched, expertRows, stream);
    clock.lap(Phase.EXPERTS);
    stages.combiner().combine(expertRows, dispatched, routing, out, stream);
    clock.lap(Phase.COMBINE);
  }

  @Override
  public void backward(DeviceStream stream) {
    Training t = MoeFeedForward.inTraining(training);
    // In place: what the experts computed is not needed once its gradient is known.
    Tensor dExpertRows = expertRows;
    stream.zero(t.dIn());
    t.combiner()
        .backward(t.dOut(), expertRows, dispatched, routing, dExpertRows, t.dGates(), stream);
    clock.lap(Phase.COMBINE);
    t.executor().backward(in, dispatched, dExpertRows, t.dRows(), stream);
    clock.lap(Phase.EXPERTS);
    t.dispatcher().backward(t.dRows(), dispatched, t.dIn(), stream);
    clock.lap(Phase.DISPATCH);
    t.router().run(in, routing, t.dGates(), t.dIn(), stream);
    clock.lap(Phase.ROUTER);
  }

  @Override
  public Routing routing() {
    return routing;
  }
}
