package moe.backend.cuda.stage;

import java.util.Optional;
import moe.backend.cuda.CudaBackend;
import moe.backend.cuda.CudaStream;
import moe.backend.cuda.CudaTensor;
import moe.backend.cuda.HalfProducts;
import moe.backend.cuda.Operation;
import moe.backend.cuda.Products;
import moe.spi.device.DeviceStream;
import moe.spi.device.Tensor;
import moe.spi.stage.FusedMoe;
import moe.spi.stage.LayerSpec;
import moe.spi.stage.Routing;
import moe.spi.stage.StageContext;
import org.jspecify.annotations.Nullable;

/// Dispatcher, executor and combiner in one object, with rows of 16 bits between them.
final class HalfFusedMoe implements FusedMoe, FusedMoe.Backward {
  private static final Operation RUN = new Operation("fused run");
  private static final Operation BACKWARD = new Operation("fused backward");

  private final LayerSpec spec;
  private final StageMemory memory;
  private final HalfNetwork network;
  private final @Nullable FewExperts few;
  private final SortedPlan plan;
  private final CudaTensor assignments;
  private final CudaTensor positions;
  private final CudaTensor offsets;
  private final Products.Groups groups;
  private final @Nullable CudaTensor fewRows; // F32 [2, few slots, dModel]
  private final @Nullable CudaTensor rows; // of 16 bits, [maxSlots, dModel], like the rest
  private final @Nullable CudaTensor dExpertRows;
  private final @Nullable CudaTensor dRows;
  private final @Nullable CudaTensor dGateRows;
  private int tokensOfForward;

  HalfFusedMoe(CudaBackend backend, HalfProducts products, StageContext context) {
    spec = context.spec();
    memory = new StageMemory(backend);
    network = new HalfNetwork(products, context, memory);
    few = FewExperts.of(context, products, memory);
    plan = new SortedPlan(spec, memory);
    offsets = memory.ints(spec.experts() + 1L);
    assignments = memory.ints(spec.maxSlots());
    positions = memory.ints(spec.maxSlots());
    groups = new Products.Groups(spec.experts(), offsets, assignments, spec.topK());
    boolean trains = CudaStageFactory.trains(spec);
    int few = HalfProducts.mostFew(spec.maxSlots(), spec.experts());
    fewRows = trains ? null : memory.floats(2, few, spec.dModel());
    rows = trains || few < spec.maxSlots() ? rows(products) : null;
    dExpertRows = trains ? rows(products) : null;
    dRows = trains ? rows(products) : null;
    dGateRows = trains && spec.gated() ? rows(products) : null;
  }

  private CudaTensor rows(HalfProducts products) {
    return memory.halves(products, spec.maxSlots(), spec.dModel());
  }

  @Override
  public void run(Tensor tokens, Routing routing, Tensor out, DeviceStream stream) {
    memory.checkOpen();
    CudaStream queue = CudaStream.of(stream);
    int count = Calls.tokens(RUN, tokens, spec);
    int slots = count * spec.topK();
    Calls.routing(RUN, routing, count, spec);
    RUN.matrix("out", out, count, spec.dModel());
    tokensOfForward = count;
    if (count == 0) {
      return;
    }
    if (few != null && few.suits(count, tokens)) {
      few.run(queue, count, tokens, routing, out);
      return;
    }
    plan.run(queue, routing.expertIds(), slots, offsets, assignments, positions);
    int parts = network.isFew(slots) ? network.parts(slots) : 1;
    CudaTensor result = network.isFew(slots) ? fewRows : rows;
    if (result == null) {
      throw new IllegalStateException("no rows for %d slots".formatted(slots));
    }
    network.forward(queue, groups, slots, tokens, positions, result, parts);
    HalfCombine.run(queue, spec, count, result, parts, positions, routing.gates(), out, false);
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
    if (rows == null || dExpertRows == null || dRows == null) {
      throw new IllegalStateException("the block was created for inference");
    }
    CudaStream queue = CudaStream.of(stream);
    int count = Calls.tokens(BACKWARD, tokens, spec);
    int slots = count * spec.topK();
    BACKWARD.require(
        count == tokensOfForward,
        "the number of tokens",
        count,
        "must be that of the forward pass before it",
        tokensOfForward);
    Calls.routing(BACKWARD, routing, count, spec);
    BACKWARD.matrix("dOut", dOut, count, spec.dModel());
    BACKWARD.floats("dGates", dGates, slots);
    BACKWARD.matrix("dTokens", dTokens, count, spec.dModel());
    if (count == 0) {
      return;
    }
    HalfCombine.back(
        queue, spec, count, dOut, rows, positions, routing.gates(), dExpertRows, dGates);
    network.backward(queue, groups, slots, dExpertRows, dRows, dGateRows);
    HalfCombine.run(queue, spec, count, dRows, 1, positions, null, dTokens, true);
    if (dGateRows != null) {
      HalfCombine.run(queue, spec, count, dGateRows, 1, positions, null, dTokens, true);
    }
  }

  @Override
  public void close() {
    memory.close();
  }
}
