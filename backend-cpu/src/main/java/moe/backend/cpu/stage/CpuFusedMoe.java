package moe.backend.cpu.stage;

import java.util.Optional;
import moe.backend.cpu.CpuBackend;
import moe.backend.cpu.CpuStream;
import moe.backend.cpu.Operation;
import moe.backend.cpu.kernel.Floats;
import moe.backend.cpu.kernel.GatherSum;
import moe.backend.cpu.kernel.GatherSumBackward;
import moe.backend.cpu.kernel.Ints;
import moe.backend.cpu.kernel.SharedArrays;
import moe.backend.cpu.kernel.SortedPlan;
import moe.spi.device.DeviceStream;
import moe.spi.device.Tensor;
import moe.spi.stage.FusedMoe;
import moe.spi.stage.LayerSpec;
import moe.spi.stage.Routing;
import moe.spi.stage.StageContext;

/// Dispatcher, executor and combiner in one object. Backward reads the gradient of the block's
/// output through assignments and gates, so that no gradient of the experts' rows is ever written.
final class CpuFusedMoe implements FusedMoe, FusedMoe.Backward {
  private static final Operation RUN = new Operation("fused run");
  private static final Operation BACKWARD = new Operation("fused backward");

  private final LayerSpec spec;
  private final StageMemory memory;
  private final FeedForward network;
  private final GatherSum combine;
  private final GatherSumBackward combineBackward;
  private final Slots slots = new Slots();
  private final SlotGradient gradient;
  private final Ints offsets;
  private final Ints assignments;
  private final Ints positions;
  private final Floats expertRows;
  private final SharedArrays arrays;
  private int tokensOfForward;

  CpuFusedMoe(CpuBackend backend, StageContext context) {
    spec = context.spec();
    memory = new StageMemory(backend);
    network = FeedForward.of(backend, context, memory);
    combine = new GatherSum(backend.threads(), backend.loops());
    combineBackward = new GatherSumBackward(backend.threads(), backend.loops());
    gradient = new SlotGradient(spec.dModel(), spec.topK());
    offsets = memory.ints(spec.experts() + 1L);
    assignments = memory.ints(spec.maxSlots());
    positions = memory.ints(spec.maxSlots());
    expertRows = memory.floats(spec.maxSlots(), spec.dModel());
    arrays = backend.threads().arrays();
  }

  @Override
  public void run(Tensor tokens, Routing routing, Tensor out, DeviceStream stream) {
    CpuStream.of(stream);
    memory.checkOpen();
    int rows = Calls.tokens(RUN, tokens, spec);
    Ints ids = Calls.expertIds(RUN, routing, rows, spec);
    Floats gates = RUN.floats("gates", routing.gates(), (long) rows * spec.topK());
    Floats x = RUN.matrix("tokens", tokens, rows, spec.dModel());
    Floats y = RUN.matrix("out", out, rows, spec.dModel());
    SortedPlan.plan(ids, rows * spec.topK(), spec.experts(), offsets, assignments, positions);
    tokensOfForward = rows;
    slots.set(x, offsets, assignments, offsets.get(spec.experts()));
    network.forward(slots, expertRows);
    combine.rows(expertRows, positions, spec.topK(), spec.dModel()).weighted(gates, y, rows);
  }

  @Override
  public Optional<FusedMoe.Backward> backward() {
    return CpuStageFactory.trains(spec) ? Optional.of(this) : Optional.empty();
  }

  @Override
  public void backward(
      Tensor tokens,
      Routing routing,
      Tensor dOut,
      Tensor dGates,
      Tensor dTokens,
      DeviceStream stream) {
    CpuStream.of(stream);
    memory.checkOpen();
    if (!CpuStageFactory.trains(spec)) {
      throw new IllegalStateException("the block was created for inference");
    }
    int rows = Calls.tokens(BACKWARD, tokens, spec);
    BACKWARD.require(
        rows == tokensOfForward,
        "the number of tokens",
        rows,
        "must be that of the forward pass before it",
        tokensOfForward);
    Floats x = BACKWARD.matrix("tokens", tokens, rows, spec.dModel());
    Floats gates = BACKWARD.floats("gates", routing.gates(), (long) rows * spec.topK());
    Floats d = BACKWARD.matrix("dOut", dOut, rows, spec.dModel());
    Floats dGate = BACKWARD.floats("dGates", dGates, (long) rows * spec.topK());
    Floats dX = BACKWARD.matrix("dTokens", dTokens, rows, spec.dModel());
    slots.set(x, offsets, assignments, offsets.get(spec.experts()));
    combineBackward.rows(expertRows, positions, spec.topK(), spec.dModel()).gates(d, dGate, rows);
    Floats dRows = arrays.borrow(slots.used * spec.dModel());
    try {
      network.backward(slots, gradient.gathered(d, assignments, gates), dRows);
      combine.rows(dRows, positions, spec.topK(), spec.dModel()).add(dX, rows);
    } finally {
      arrays.giveBack(dRows);
    }
  }

  @Override
  public void close() {
    memory.close();
  }
}
