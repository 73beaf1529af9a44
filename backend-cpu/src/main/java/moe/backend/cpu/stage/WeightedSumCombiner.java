package moe.backend.cpu.stage;

import java.util.Optional;
import moe.backend.cpu.CpuBackend;
import moe.backend.cpu.CpuStream;
import moe.backend.cpu.Operation;
import moe.backend.cpu.kernel.Floats;
import moe.backend.cpu.kernel.GatherSum;
import moe.backend.cpu.kernel.GatherSumBackward;
import moe.backend.cpu.kernel.Ints;
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
  private final GatherSum forward;
  private final GatherSumBackward backward;

  WeightedSumCombiner(CpuBackend backend, LayerSpec spec) {
    this.spec = spec;
    this.forward = new GatherSum(backend.threads(), backend.loops());
    this.backward = new GatherSumBackward(backend.threads(), backend.loops());
  }

  @Override
  public void combine(
      Tensor expertRows, Dispatched dispatched, Routing routing, Tensor out, DeviceStream stream) {
    CpuStream.of(stream);
    int tokens = Calls.tokens(COMBINE, out, spec);
    int slots = tokens * spec.topK();
    Floats rows = COMBINE.matrix("expertRows", expertRows, slots, spec.dModel());
    Ints positions = Calls.positions(COMBINE, dispatched, tokens, spec);
    Floats gates = COMBINE.floats("gates", routing.gates(), slots);
    forward
        .rows(rows, positions, spec.topK(), spec.dModel())
        .weighted(gates, COMBINE.matrix("out", out, tokens, spec.dModel()), tokens);
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
    CpuStream.of(stream);
    int tokens = Calls.tokens(BACKWARD, dOut, spec);
    int slots = tokens * spec.topK();
    Floats rows = BACKWARD.matrix("expertRows", expertRows, slots, spec.dModel());
    Ints positions = Calls.positions(BACKWARD, dispatched, tokens, spec);
    Floats gates = BACKWARD.floats("gates", routing.gates(), slots);
    Floats dGate = BACKWARD.floats("dGates", dGates, slots);
    Floats dRows = BACKWARD.matrix("dExpertRows", dExpertRows, slots, spec.dModel());
    backward
        .rows(rows, positions, spec.topK(), spec.dModel())
        .gatesAndRows(
            BACKWARD.matrix("dOut", dOut, tokens, spec.dModel()), gates, dGate, dRows, tokens);
  }

  @Override
  public void close() {}
}
