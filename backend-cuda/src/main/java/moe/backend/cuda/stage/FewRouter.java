package moe.backend.cuda.stage;

import moe.backend.cuda.CudaStream;
import moe.backend.cuda.Kernel;
import moe.backend.cuda.Launch;
import moe.backend.cuda.Products;
import moe.spi.device.DType;
import moe.spi.device.LinearWeights;
import moe.spi.device.Tensor;
import moe.spi.stage.LayerSpec;
import moe.spi.stage.Routing;
import org.jspecify.annotations.Nullable;

/// The whole router of a handful of tokens in one kernel, in float32.
final class FewRouter {
  private static final Kernel ROUTE = new Kernel("router", "moe_route_few");
  private static final int MOST_TOKENS = 8;
  private static final int MOST_CHOSEN = 32;
  private static final int MOST_EXPERTS = 256;

  private FewRouter() {}

  static boolean suits(LayerSpec spec, int tokens, Tensor x, LinearWeights weights) {
    return tokens <= MOST_TOKENS
        && spec.topK() <= MOST_CHOSEN
        && spec.experts() <= MOST_EXPERTS
        && weights.weight().type() == DType.F32
        && Products.inFours(weights.weight(), spec.dModel())
        && Products.inFours(x, spec.dModel());
  }

  /// @param choiceBias F32 `[experts]`
  /// @param logits F32 `[tokens, experts]`, null if nobody needs them
  static void run(
      CudaStream stream,
      LayerSpec spec,
      int tokens,
      Tensor x,
      LinearWeights weights,
      Tensor choiceBias,
      @Nullable Tensor logits,
      Routing out) {
    Launch launch =
        stream.launch(ROUTE, 256, tokens, 1, 1).shared(Float.BYTES * spec.experts()).dependent();
    boolean ahead = launch.isOld(weights.weight());
    launch
        .pointers(
            x, weights.weight(), weights.bias(), choiceBias, logits, out.expertIds(), out.gates())
        .numbers(tokens, spec.dModel(), spec.experts(), spec.topK(), ahead ? 1 : 0)
        .run();
  }
}
