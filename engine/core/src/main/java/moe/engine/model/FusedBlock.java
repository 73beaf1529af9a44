package moe.engine.model;

import moe.engine.metrics.Phase;
import moe.engine.metrics.PhaseClock;
import moe.engine.wiring.MoeStages;
import moe.spi.device.DeviceStream;
import moe.spi.device.Tensor;
import moe.spi.stage.FusedMoe;
import moe.spi.stage.Routing;
import org.jspecify.annotations.Nullable;

/// A MoE block of two stages: router, then dispatcher, executor and combiner in one.
final class FusedBlock implements MoeBlock {
  private final MoeStages.Fused stages;
  private final PhaseClock clock;
  private final Tensor in;
  private final Routing routing;
  private final Tensor out;
  private final @Nullable Training training;

  private record Training(
      Tensor dOut, Tensor dGates, Tensor dIn, FusedMoe.Backward fused, RouterBackward router) {}

  FusedBlock(
      MoeStages.Fused stages, MoeFeedForward block, FeedForwardPorts ports, PassBuffers buffers) {
    long tokens = ports.tokens();
    this.clock = ports.clock();
    this.stages = stages;
    this.in = ports.in();
    this.out = ports.out();
    this.routing = block.routing(tokens, buffers);
    FeedForwardPorts.Gradients gradients = ports.gradients();
    this.training =
        gradients == null
            ? null
            : new Training(
                gradients.dOut(),
                buffers.shared("dGates", tokens, block.spec().topK()),
                gradients.dIn(),
                MoeFeedForward.trained(stages.moe().backward()),
                block.routerBackward());
  }

  @Override
  public void forward(DeviceStream stream) {
    stages.router().route(in, routing, stream);
    clock.lap(Phase.ROUTER);
    stages.moe().run(in, routing, out, stream);
    clock.lap(Phase.FUSED_MOE);
  }

  @Override
  public void backward(DeviceStream stream) {
    Training t = MoeFeedForward.inTraining(training);
    stream.zero(t.dIn());
    t.fused().backward(in, routing, t.dOut(), t.dGates(), t.dIn(), stream);
    clock.lap(Phase.FUSED_MOE);
    t.router().run(in, routing, t.dGates(), t.dIn(), stream);
    clock.lap(Phase.ROUTER);
  }

  @Override
  public Routing routing() {
    return routing;
  }
}
