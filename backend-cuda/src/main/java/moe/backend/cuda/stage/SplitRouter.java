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
/// @param width the most experts of the kernels
/// @param many for many tokens
/// @param some for fewer: more warps share dModel
/// @param room of shared memory in a block
record SplitRouter(LayerSpec spec, int width, Kernel many, Kernel some, int room) {
  private static final int MOST_CHOSEN = 32;
  private static final int MANY_TOKENS = 4096; // more than these
  private static final int MANY_SLICES = 2;
  private static final int TOKENS = 128; // of a block, if warps shared nothing
  private static final int[] WIDTHS = {8, 32, 64, 128};

  /// Null if the backend multiplies otherwise, or the block is none for this kernel.
  static @Nullable SplitRouter of(CudaBackend backend, LayerSpec spec, LinearWeights weights) {
    if (backend.halfProducts().isEmpty()
        || weights.weight().type() != DType.F32
        || spec.topK() > MOST_CHOSEN
        || !HalfProducts.fits(weights.weight())) {
      return null;
    }
    int room = backend.sharedBytes();
    for (int width : WIDTHS) {
      if (spec.experts() <= width) {
        Kernel many = kernel(width, MANY_SLICES);
        return new SplitRouter(spec, width, many, kernel(width, slices(width)), room);
      }
    }
    return null;
  }

  private static Kernel kernel(int width, int slices) {
    return new Kernel("router", "moe_route_split_e%d_s%d".formatted(width, slices));
  }

  /// How many warps share dModel for not so many tokens.
  private static int slices(int width) {
    return width <= 32 ? 8 : 4;
  }

  private int slicesFor(int tokens) {
    return tokens > MANY_TOKENS ? MANY_SLICES : slices(width);
  }

  /// As `SHARED_BYTES` in `router_split.cuh`.
  private int sharedBytes(int slices) {
    int columns = 32 * slices;
    int stages = width >= 64 ? 3 : 4;
    return stages * (TOKENS / slices) * (columns + 4) * Float.BYTES
        + 4 * width * (2 * columns + 64);
  }

  /// Whether so many tokens find room, and their rows can be read 16 bytes at a time.
  boolean fits(int tokens, Tensor x) {
    return sharedBytes(slicesFor(tokens)) <= room && HalfProducts.fits(x);
  }

  /// @param choiceBias F32 `[experts]`
  /// @param logits F32 `[tokens, experts]`, null if nobody needs them
  /// @param rounded BF16 for the tokens, null likewise
  void run(
      CudaStream stream,
      int tokens,
      Tensor x,
      LinearWeights weights,
      Tensor choiceBias,
      @Nullable Tensor logits,
      Routing out,
      @Nullable Tensor rounded) {
    int slices = slicesFor(tokens);
    long blocks = Math.ceilDiv((long) tokens * slices, TOKENS);
    stream
        .launch(slices == MANY_SLICES ? many : some, 256, blocks, 1, 1)
        .shared(sharedBytes(slices))
        .dependent()
        .pointers(
            x,
            weights.weight(),
            weights.bias(),
            choiceBias,
            logits,
            out.expertIds(),
            out.gates(),
            rounded,
            null,
            null)
        .numbers(tokens, spec.dModel(), spec.experts(), spec.topK(), 0)
        .run();
  }
}
