package moe.backend.opencl.stage;

import java.util.Optional;
import moe.backend.opencl.OpenClStream;
import moe.backend.opencl.Operation;
import moe.backend.opencl.kernel.Combine;
import moe.backend.opencl.kernel.Region;
import moe.backend.opencl.kernel.SlotRows;
import moe.backend.opencl.kernel.SortedPlan;
import moe.backend.opencl.kernel.WorkQueue;
import moe.spi.device.DeviceStream;
import moe.spi.device.Tensor;
import moe.spi.stage.FusedMoe;
import moe.spi.stage.LayerSpec;
import moe.spi.stage.Routing;
import moe.spi.stage.StageContext;
import org.jspecify.annotations.Nullable;

/// Dispatcher, executor and combiner in one object. Backward reads the gradient of the block's
/// output through assignments and gates, so that no gradient of the experts' rows is ever written
/// in their order.
final class OpenClFusedMoe implements FusedMoe, FusedMoe.Backward {
  private static final Operation RUN = new Operation("fused run");
  private static final Operation BACKWARD = new Operation("fused backward");

  private final LayerSpec spec;
  private final StageParts parts;
  private final FeedForward network;
  private final SortedPlan plan;
  private final Combine combine;
  private final Slots slots;
  private final Region scratch;
  private final Region offsets;
  private final Region assignments;
  private final Region positions;
  private final Region expertRows;
  private final @Nullable Region dRows;
  private final @Nullable SlotRows gradient;
  private int tokensOfForward;

  OpenClFusedMoe(StageParts parts, StageContext context) {
    this.parts = parts;
    spec = context.spec();
    network = FeedForward.of(parts, context);
    plan = new SortedPlan(parts.kernels, spec.experts());
    combine = new Combine(parts.kernels, spec.topK(), spec.dModel());
    slots = new Slots(parts, spec);
    scratch = parts.memory.ints(SortedPlan.scratch(spec.maxSlots(), spec.experts()));
    offsets = parts.memory.ints(spec.experts() + 1L);
    assignments = parts.memory.ints(spec.maxSlots());
    positions = parts.memory.ints(spec.maxSlots());
    long rows = (long) spec.maxSlots() * spec.dModel();
    expertRows = parts.memory.floats(rows);
    dRows = spec.training() ? parts.memory.floats(rows) : null;
    gradient =
        spec.training()
            ? SlotRows.of(
                parts.kernels, parts.memory, spec.maxSlots(), spec.experts(), spec.dModel())
            : null;
  }

  @Override
  public void run(Tensor tokens, Routing routing, Tensor out, DeviceStream stream) {
    WorkQueue queue = OpenClStream.queue(stream);
    parts.checkOpen();
    int rows = Calls.tokens(RUN, tokens, spec);
    Region ids = Calls.expertIds(RUN, routing, rows, spec);
    Region gates = Calls.gates(RUN, routing, rows, spec);
    Region x = RUN.matrix("tokens", tokens, rows, spec.dModel());
    Region y = RUN.matrix("out", out, rows, spec.dModel());
    plan.run(ids, rows * spec.topK(), scratch, offsets, assignments, positions, queue);
    tokensOfForward = rows;
    slots.set(x, offsets, assignments, rows * spec.topK());
    network.forward(slots, expertRows, queue);
    combine.weighted(expertRows, positions, gates, y, rows, queue);
  }

  @Override
  public Optional<FusedMoe.Backward> backward() {
    return dRows == null ? Optional.empty() : Optional.of(this);
  }

  @Override
  public void backward(
      Tensor tokens,
      Routing routing,
      Tensor dOut,
      Tensor dGates,
      Tensor dTokens,
      DeviceStream stream) {
    WorkQueue queue = OpenClStream.queue(stream);
    parts.checkOpen();
    if (dRows == null || gradient == null) {
      throw new IllegalStateException("the block was created for inference");
    }
    int rows = Calls.tokens(BACKWARD, tokens, spec);
    BACKWARD.require(
        rows == tokensOfForward,
        "the number of tokens",
        rows,
        "must be that of the forward pass before it",
        tokensOfForward);
    Region x = BACKWARD.matrix("tokens", tokens, rows, spec.dModel());
    Region gates = Calls.gates(BACKWARD, routing, rows, spec);
    Region d = BACKWARD.matrix("dOut", dOut, rows, spec.dModel());
    Region dGate = BACKWARD.floats("dGates", dGates, (long) rows * spec.topK());
    Region dX = BACKWARD.matrix("dTokens", dTokens, rows, spec.dModel());
    slots.set(x, offsets, assignments, rows * spec.topK());
    combine.gatesBackward(d, expertRows, positions, dGate, rows, queue);
    gradient.gathered(d, spec.dModel(), assignments, spec.topK(), gates);
    network.backward(slots, gradient, dRows, queue);
    combine.add(dRows, positions, dX, rows, queue);
  }

  @Override
  public void close() {
    parts.close();
  }
}
