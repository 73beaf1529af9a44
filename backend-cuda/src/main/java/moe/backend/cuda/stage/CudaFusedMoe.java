package moe.backend.cuda.stage;

import java.util.Optional;
import moe.backend.cuda.CudaBackend;
import moe.backend.cuda.CudaStream;
import moe.backend.cuda.CudaTensor;
import moe.backend.cuda.Operation;
import moe.backend.cuda.Products;
import moe.spi.device.DeviceStream;
import moe.spi.device.Tensor;
import moe.spi.stage.FusedMoe;
import moe.spi.stage.LayerSpec;
import moe.spi.stage.Routing;
import moe.spi.stage.StageContext;
import org.jspecify.annotations.Nullable;

/// Dispatcher, executor and combiner in one object: plan and rows never leave it.
final class CudaFusedMoe implements FusedMoe, FusedMoe.Backward {
  private static final Operation RUN = new Operation("fused run");
  private static final Operation BACKWARD = new Operation("fused backward");

  private final LayerSpec spec;
  private final StageMemory memory;
  private final FeedForward network;
  private final @Nullable FewExperts few;
  private final SortedPlan plan;
  private final CudaTensor assignments;
  private final CudaTensor positions;
  private final CudaTensor offsets;
  private final Products.Groups groups;
  private final CudaTensor expertRows;
  private final @Nullable CudaTensor dExpertRows;
  private final @Nullable CudaTensor dRows;
  private int tokensOfForward;

  CudaFusedMoe(CudaBackend backend, StageContext context) {
    spec = context.spec();
    memory = new StageMemory(backend);
    network = FeedForward.portable(backend, context, memory);
    few = FewExperts.of(context, null, memory);
    plan = new SortedPlan(spec, memory);
    offsets = memory.ints(spec.experts() + 1L);
    assignments = memory.ints(spec.maxSlots());
    positions = memory.ints(spec.maxSlots());
    groups = new Products.Groups(spec.experts(), offsets, assignments, spec.topK());
    boolean trains = CudaStageFactory.trains(spec);
    expertRows = memory.floats(spec.maxSlots(), spec.dModel());
    dExpertRows = trains ? memory.floats(spec.maxSlots(), spec.dModel()) : null;
    dRows = trains ? memory.floats(spec.maxSlots(), spec.dModel()) : null;
  }

  @Override
  public void run(Tensor tokens, Routing routing, Tensor out, DeviceStream stream) {
    memory.checkOpen();
    CudaStream queue = CudaStream.of(stream);
    int rows = Calls.tokens(RUN, tokens, spec);
    int slots = rows * spec.topK();
    Calls.routing(RUN, routing, rows, spec);
    RUN.matrix("out", out, rows, spec.dModel());
    tokensOfForward = rows;
    if (few != null && few.suits(rows, tokens)) {
      few.run(queue, rows, tokens, routing, out);
      return;
    }
    plan.run(queue, routing.expertIds(), slots, offsets, assignments, positions);
    network.forward(queue, groups, slots, tokens, positions, expertRows);
    GatherSum.run(queue, spec, rows, expertRows, positions, routing.gates(), out, false);
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
    memory.checkOpen();
    if (dExpertRows == null || dRows == null) {
      throw new IllegalStateException("the block was created for inference");
    }
    CudaStream queue = CudaStream.of(stream);
    int rows = Calls.tokens(BACKWARD, tokens, spec);
    int slots = rows * spec.topK();
    BACKWARD.require(
        rows == tokensOfForward,
        "the number of tokens",
        rows,
        "must be that of the forward pass before it",
        tokensOfForward);
    Calls.routing(BACKWARD, routing, rows, spec);
    BACKWARD.matrix("dOut", dOut, rows, spec.dModel());
    BACKWARD.floats("dGates", dGates, slots);
    BACKWARD.matrix("dTokens", dTokens, rows, spec.dModel());
    GatherSum.back(
        queue, spec, rows, dOut, expertRows, positions, routing.gates(), dExpertRows, dGates);
    network.backward(queue, groups, slots, tokens, dExpertRows, dRows);
    GatherSum.run(queue, spec, rows, dRows, positions, null, dTokens, true);
  }

  @Override
  public void close() {
    memory.close();
  }
}
