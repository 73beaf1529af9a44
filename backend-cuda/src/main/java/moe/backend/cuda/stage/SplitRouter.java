package moe.backend.cuda.stage;

import moe.backend.cuda.CudaBackend;
import moe.backend.cuda.CudaStream;
import moe.backend.cuda.HalfProducts;
import moe.backend.cuda.Kernel;
import moe.spi.device.DType;
import moe.spi.device.LinearWeights;
import moe.spi.device.Tensor;
import moe.spi.stage.LayerSpec;
import moe.spi.stage.Routing;
import org.jspecify.annotations.Nullable;

/// The whole router in one kernel on tensor cores, for a backend that multiplies in bf16: each
/// float32 is split in two of bf16, so that logits keep 16 bits.
///
/// @param width the most experts of the kernel
record SplitRouter(LayerSpec spec, Kernel kernel, int width) {
  private static final int MOST_CHOSEN = 32;
  private static final int GROUP_TOKENS = 16;
  private static final int[] WIDTHS = {8, 32, 64, 128};

  /// Null if the backend multiplies otherwise, or the block is none for this kernel.
  static @Nullable SplitRouter of(CudaBackend backend, LayerSpec spec, LinearWeights weights) {
    if (backend.halfProducts().isEmpty()
        || weights.weight().type() != DType.F32
        || spec.topK() > MOST_CHOSEN
        || !HalfProducts.fits(weights.weight())) {
      return null;
    }
    for (int width : WIDTHS) {
      if (spec.experts() <= width) {
        return new SplitRouter(spec, new Kernel("router", "moe_route_split_e" + width), width);
      }
    }
    return null;
  }

  /// Whether rows of these tokens can be read 16 bytes at a time.
  boolean fits(Tensor tokens) {
    return HalfProducts.fits(tokens);
  }

  /// @param choiceBias F32 `[experts]`
  /// @param logits F32 `[tokens, experts]`, null if nobody needs them
  void run(
      CudaStream stream,
      int tokens,
      Tensor x,
      LinearWeights weights,
      Tensor choiceBias,
      @Nullable Tensor logits,
      Routing out) {
    // Few tokens: many warps share dModel. Many: warps share the weights in the L1.
    int groups = tokens <= 2048 ? 1 : tokens <= 4096 ? 2 : 4;
    int most = tokens <= 256 || groups > 1 ? 16 / groups : 8;
    int slices = Math.min(most, Math.ceilDiv(spec.dModel(), 32));
    int warps = groups * slices;
    stream
        .launch(kernel, 32 * warps, Math.ceilDiv(tokens, GROUP_TOKENS * groups), 1, 1)
        .shared(Float.BYTES * GROUP_TOKENS * width * warps)
        .dependent()
        .pointers(
            x, weights.weight(), weights.bias(), choiceBias, logits, out.expertIds(), out.gates())
        .numbers(tokens, spec.dModel(), spec.experts(), spec.topK(), slices)
        .run();
  }
}
