package moe.backend.cuda.stage;

import moe.backend.cuda.CudaStream;
import moe.backend.cuda.CudaTensor;
import moe.backend.cuda.HalfProducts;
import moe.backend.cuda.Kernel;
import moe.backend.cuda.Launch;
import moe.backend.cuda.Products;
import moe.spi.device.DType;
import moe.spi.device.LinearWeights;
import moe.spi.device.Tensor;
import moe.spi.stage.LayerSpec;
import moe.spi.stage.Parameters;
import moe.spi.stage.Routing;
import moe.spi.stage.StageContext;
import org.jspecify.annotations.Nullable;

/// The experts' networks of a handful of tokens, from the router's choice to the sums, in two
/// kernels and with no plan. Not for training.
final class FewExperts {
  // Of 8, the products by tiles are faster: 63 against 78 µs for one token of 64 experts, top 8.
  private static final int MOST_SLOTS = 4;
  private static final Kernel UP = new Kernel("experts_few", "moe_few_experts_up");
  private static final Kernel UP_BF16 = new Kernel("experts_few", "moe_few_experts_up_bf16w");
  private static final Kernel UP_F16 = new Kernel("experts_few", "moe_few_experts_up_f16w");
  private static final Kernel DOWN = new Kernel("experts_few", "moe_few_experts_down");
  private static final Kernel DOWN_BF16 = new Kernel("experts_few", "moe_few_experts_down_bf16w");
  private static final Kernel DOWN_F16 = new Kernel("experts_few", "moe_few_experts_down_f16w");

  private final LayerSpec spec;
  private final @Nullable HalfProducts half;
  private final LinearWeights up;
  private final @Nullable LinearWeights gate;
  private final LinearWeights down;
  private final CudaTensor hidden;

  private FewExperts(
      LayerSpec spec, @Nullable HalfProducts half, Parameters parameters, StageMemory memory) {
    this.spec = spec;
    this.half = half;
    this.up = parameters.linear("experts.up");
    this.gate = spec.gated() ? parameters.linear("experts.gate") : null;
    this.down = parameters.linear("experts.down");
    this.hidden = memory.floats(Math.min(MOST_SLOTS, spec.maxSlots()), spec.dHidden());
  }

  /// Null for a block that trains, or whose rows cannot be read in fours.
  ///
  /// @param half rounds weights; null to take them as they are
  static @Nullable FewExperts of(
      StageContext context, @Nullable HalfProducts half, StageMemory memory) {
    LayerSpec spec = context.spec();
    if (CudaStageFactory.trains(spec) || spec.topK() > MOST_SLOTS) {
      return null;
    }
    FewExperts few = new FewExperts(spec, half, context.parameters(), memory);
    boolean fours =
        Products.inFours(few.up.weight(), spec.dModel())
            && Products.inFours(few.down.weight(), spec.dHidden())
            && (few.gate == null || Products.inFours(few.gate.weight(), spec.dModel()));
    return fours ? few : null;
  }

  boolean suits(int tokens, Tensor x) {
    return tokens * spec.topK() <= MOST_SLOTS && Products.inFours(x, spec.dModel());
  }

  void run(CudaStream stream, int tokens, Tensor x, Routing routing, Tensor out) {
    Tensor upWeight = rounded(stream, up.weight());
    Tensor gateWeight = gate == null ? null : rounded(stream, gate.weight());
    Tensor downWeight = rounded(stream, down.weight());
    stream
        .launch(
            of(upWeight.type(), UP, UP_BF16, UP_F16),
            256,
            Math.ceilDiv(spec.dHidden(), 8),
            (long) tokens * spec.topK(),
            1)
        .dependent()
        .reads(x)
        .reads(routing.expertIds())
        .reads(upWeight)
        .reads(gateWeight)
        .reads(up.bias())
        .reads(gate == null ? null : gate.bias())
        .tensor(hidden)
        .number(spec.experts())
        .number(spec.topK())
        .number(spec.dModel())
        .number(spec.dHidden())
        .activation(spec.activation())
        .run();
    Launch second =
        stream
            .launch(
                of(downWeight.type(), DOWN, DOWN_BF16, DOWN_F16),
                256,
                Math.ceilDiv(spec.dModel(), 2),
                tokens,
                1)
            .dependent();
    boolean ahead = second.isOld(downWeight) && (down.bias() == null || second.isOld(down.bias()));
    second
        .reads(hidden)
        .reads(routing.expertIds())
        .reads(routing.gates())
        .reads(downWeight)
        .reads(down.bias())
        .tensor(out)
        .number(spec.experts())
        .number(spec.topK())
        .number(spec.dModel())
        .number(spec.dHidden())
        .number(ahead ? 1 : 0)
        .run();
  }

  private static Kernel of(DType weights, Kernel f32, Kernel bf16, Kernel f16) {
    return switch (weights) {
      case F32, I32 -> f32;
      case BF16 -> bf16;
      case F16 -> f16;
    };
  }

  private Tensor rounded(CudaStream stream, Tensor weight) {
    return half == null ? weight : half.rounded(stream, weight);
  }
}
