package moe.engine.model;

import moe.engine.wiring.MoeStages;
import moe.spi.device.DeviceStream;
import moe.spi.device.Tensor;
import moe.spi.stage.FusedMoe;
import moe.spi.stage.LayerSpec;
import moe.spi.stage.Router;
import moe.spi.stage.Routing;
import org.jspecify.annotations.Nullable;

/// A MoE block of two stages: router, then dispatcher, executor and combiner in one.
final class FusedBlock implements MoeBlock {
  private final MoeStages.Fused stages;
  private final Tensor in;
  private final Routing routing;
  private final Tensor out;
  private final @Nullable Training training;

  private record Training(
      Tensor dOut, Tensor dGates, Tensor dIn, FusedMoe.Backward fused, Router.Backward router) {}

  FusedBlock(MoeStages.Fused stages, LayerSpec spec, FeedForwardPorts ports, PassBuffers buffers) {
    long tokens = ports.tokens();
    this.stages = stages;
    this.in = ports.in();
    this.out = ports.out();
    this.routing = MoeFeedForward.routing(spec, tokens, buffers);
    FeedForwardPorts.Gradients gradients = ports.gradients();
    this.training =
        gradients == null
            ? null
            : new Training(
                gradients.dOut(),
                buffers.shared("dGates", tokens, spec.topK()),
                gradients.dIn(),
                MoeFeedForward.trained(stages.moe().backward()),
                MoeFeedForward.trained(stages.router().backward()));
  }

  @Override
  public void forward(DeviceStream stream) {
    stages.router().route(in, routing, stream);
    stages.moe().run(in, routing, out, stream);
  }

  @Override
  public void backward(DeviceStream stream) {
    Training t = MoeFeedForward.inTraining(training);
    stream.zero(t.dIn());
    t.fused().backward(in, routing, t.dOut(), t.dGates(), t.dIn(), stream);
    t.router().backward(in, routing, t.dGates(), t.dIn(), stream);
  }

  @Override
  public Routing routing() {
    return routing;
  }
}
