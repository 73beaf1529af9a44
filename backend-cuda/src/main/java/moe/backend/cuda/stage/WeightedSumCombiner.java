package moe.backend.cuda.stage;

import java.util.Optional;
import moe.backend.cuda.CudaStream;
import moe.backend.cuda.Operation;
import moe.spi.device.DeviceStream;
import moe.spi.device.Tensor;
import moe.spi.stage.Combiner;
import moe.spi.stage.Dispatched;
import moe.spi.stage.LayerSpec;
import moe.spi.stage.Routing;

/// Each token gathers its experts' rows and adds them up, weighted by its gates.
final class WeightedSumCombiner implements Combiner, Combiner.Backward {
  private static final Operation COMBINE = new Operation("weighted-sum combine");
  private static final Operation BACKWARD = new Operation("weighted-sum backward");

  private final LayerSpec spec;

  WeightedSumCombiner(LayerSpec spec) {
    this.spec = spec;
  }

  @Override
  public void combine(
      Tensor expertRows, Dispatched dispatched, Routing routing, Tensor out, DeviceStream stream) {
    int tokens = Calls.tokens(COMBINE, out, spec);
    check(COMBINE, expertRows, dispatched, routing, tokens);
    GatherSum.run(
        CudaStream.of(stream),
        spec,
        tokens,
        expertRows,
        dispatched.positions(),
        routing.gates(),
        out,
        false);
  }

  @Override
  public Optional<Combiner.Backward> backward() {
    return Optional.of(this);
  }

  @Override
  public void backward(
      Tensor dOut,
      Tensor expertRows,
      Dispatched dispatched,
      Routing routing,
      Tensor dExpertRows,
      Tensor dGates,
      DeviceStream stream) {
    int tokens = Calls.tokens(BACKWARD, dOut, spec);
    long slots = (long) tokens * spec.topK();
    check(BACKWARD, expertRows, dispatched, routing, tokens);
    BACKWARD.matrix("dExpertRows", dExpertRows, slots, spec.dModel());
    BACKWARD.floats("dGates", dGates, slots);
    GatherSum.back(
        CudaStream.of(stream),
        spec,
        tokens,
        dOut,
        expertRows,
        dispatched.positions(),
        routing.gates(),
        dExpertRows,
        dGates);
  }

  private void check(
      Operation operation, Tensor expertRows, Dispatched dispatched, Routing routing, int tokens) {
    long slots = (long) tokens * spec.topK();
    operation.matrix("expertRows", expertRows, slots, spec.dModel());
    operation.ints("positions", dispatched.positions(), slots);
    operation.floats("gates", routing.gates(), slots);
  }

  @Override
  public void close() {}
}
