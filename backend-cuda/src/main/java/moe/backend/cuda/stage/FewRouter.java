package moe.backend.cuda.stage;

import moe.backend.cuda.CudaStream;
import moe.backend.cuda.CudaTensor;
import moe.backend.cuda.Kernel;
import moe.backend.cuda.Launch;
import moe.backend.cuda.Products;
import moe.spi.device.DType;
import moe.spi.device.LinearWeights;
import moe.spi.device.Tensor;
import moe.spi.stage.LayerSpec;
import moe.spi.stage.Routing;
import org.jspecify.annotations.Nullable;

/// The whole router of a handful of tokens in one kernel, in float32. A block has 8 experts of a
/// token, the last one chooses.
final class FewRouter {
  private static final Kernel ROUTE = new Kernel("router", "moe_route_few");
  private static final int MOST_TOKENS = 8;
  private static final int MOST_CHOSEN = 32;
  private static final int MOST_EXPERTS = 256;
  private static final int BLOCK_EXPERTS = 8;

  private final LayerSpec spec;
  private final LinearWeights weights;
  private final CudaTensor partial;
  private final CudaTensor tickets; // 0 between calls

  FewRouter(LayerSpec spec, LinearWeights weights, StageMemory memory) {
    this.spec = spec;
    this.weights = weights;
    this.partial = memory.floats(MOST_TOKENS, spec.experts());
    this.tickets = memory.ints(MOST_TOKENS);
  }

  boolean suits(int tokens, Tensor x) {
    return tokens <= MOST_TOKENS
        && spec.topK() <= MOST_CHOSEN
        && spec.experts() <= MOST_EXPERTS
        && weights.weight().type() == DType.F32
        && Products.inFours(weights.weight(), spec.dModel())
        && Products.inFours(x, spec.dModel());
  }

  /// @param choiceBias F32 `[experts]`
  /// @param logits F32 `[tokens, experts]`, null if nobody needs them
  /// @param rounded BF16 for the tokens, null likewise
  void run(
      CudaStream stream,
      int tokens,
      Tensor x,
      Tensor choiceBias,
      @Nullable Tensor logits,
      Routing out,
      @Nullable Tensor rounded) {
    Launch launch =
        stream
            .launch(ROUTE, 256, tokens, Math.ceilDiv(spec.experts(), BLOCK_EXPERTS), 1)
            .shared(Float.BYTES * spec.experts())
            .dependent();
    boolean ahead = launch.isOld(weights.weight());
    launch
        .pointers(
            x,
            weights.weight(),
            weights.bias(),
            choiceBias,
            logits,
            out.expertIds(),
            out.gates(),
            rounded,
            partial,
            tickets)
        .numbers(tokens, spec.dModel(), spec.experts(), spec.topK(), ahead ? 1 : 0)
        .run();
  }
}
