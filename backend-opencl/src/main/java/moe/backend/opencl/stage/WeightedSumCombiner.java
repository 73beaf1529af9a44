package moe.backend.opencl.stage;

import java.util.Optional;
import moe.backend.opencl.OpenClStream;
import moe.backend.opencl.Operation;
import moe.backend.opencl.kernel.Combine;
import moe.backend.opencl.kernel.Region;
import moe.backend.opencl.kernel.WorkQueue;
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
  private final StageParts parts;
  private final Combine sum;

  WeightedSumCombiner(StageParts parts, LayerSpec spec) {
    this.parts = parts;
    this.spec = spec;
    sum = new Combine(parts.kernels, spec.topK(), spec.dModel());
  }

  @Override
  public void combine(
      Tensor expertRows, Dispatched dispatched, Routing routing, Tensor out, DeviceStream stream) {
    WorkQueue queue = OpenClStream.queue(stream);
    parts.checkOpen();
    int tokens = Calls.tokens(COMBINE, out, spec);
    long slots = (long) tokens * spec.topK();
    sum.weighted(
        COMBINE.matrix("expertRows", expertRows, slots, spec.dModel()),
        Calls.positions(COMBINE, dispatched, tokens, spec),
        Calls.gates(COMBINE, routing, tokens, spec),
        COMBINE.matrix("out", out, tokens, spec.dModel()),
        tokens,
        queue);
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
    WorkQueue queue = OpenClStream.queue(stream);
    parts.checkOpen();
    int tokens = Calls.tokens(BACKWARD, dOut, spec);
    long slots = (long) tokens * spec.topK();
    Region d = BACKWARD.matrix("dOut", dOut, tokens, spec.dModel());
    Region rows = BACKWARD.matrix("expertRows", expertRows, slots, spec.dModel());
    Region positions = Calls.positions(BACKWARD, dispatched, tokens, spec);
    Region gates = Calls.gates(BACKWARD, routing, tokens, spec);
    Region dGate = BACKWARD.floats("dGates", dGates, slots);
    Region dRows = BACKWARD.matrix("dExpertRows", dExpertRows, slots, spec.dModel());
    // Gates first: the rows may be overwritten by their gradient.
    sum.gatesBackward(d, rows, positions, dGate, tokens, queue);
    sum.rowsBackward(d, gates, positions, dRows, tokens, queue);
  }

  @Override
  public void close() {
    parts.close();
  }
}
