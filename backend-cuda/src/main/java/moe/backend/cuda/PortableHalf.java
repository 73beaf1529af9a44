package moe.backend.cuda;

import java.util.Locale;
import moe.spi.device.Activation;
import moe.spi.device.DType;
import moe.spi.device.Tensor;

/// Products of bf16 or binary16 by the kernels for any GPU since compute capability 8.0, sums in
/// float32: `half_gemm.cuh`.
final class PortableHalf implements HalfKernels {
  private static final int BLOCK = 256;
  private static final int FEW_ROWS = 64; // of a group up to which tiles of 64 are used
  private static final TilePair BACK_INPUT = TilePair.of("half_back_input", "moe_half_back_input");
  private static final TilePair BACK_WEIGHT =
      TilePair.of("half_back_weight", "moe_half_back_weight");

  private final int multiprocessors;
  private final TilePair linear;
  private final TilePair gated;

  /// @param type BF16 or F16; gradients are of BF16 alone
  PortableHalf(int multiprocessors, DType type) {
    this.multiprocessors = multiprocessors;
    String suffix = "_" + type.name().toLowerCase(Locale.ROOT);
    linear = TilePair.of("half_forward", "moe_half_linear" + suffix);
    gated = TilePair.of("half_forward", "moe_half_gated" + suffix);
  }

  /// A kernel with tiles of 64 and of 128.
  private record TilePair(Kernel small, Kernel large) {
    static TilePair of(String image, String name) {
      return new TilePair(new Kernel(image, name + "_64"), new Kernel(image, name + "_128"));
    }

    Launch launch(CudaStream stream, int tile, long x, long y, long z) {
      return stream
          .launch(tile == 128 ? large : small, BLOCK, x, y, z)
          .shared(512 * tile) // halfSharedBytes
          .dependent();
    }
  }

  @Override
  public void forward(
      CudaStream stream,
      Products.Groups groups,
      int slots,
      Rows x,
      Weights weights,
      Activation activation,
      Tensor out,
      int parts) {
    boolean gates = weights.gate() != 0;
    int width = weights.out();
    int tile = tile(groups, slots, gates ? 2 * width : width);
    (gates ? gated : linear)
        .launch(
            stream,
            tile,
            rowTiles(groups, slots, tile),
            Math.ceilDiv(width, gates ? tile / 2 : tile),
            parts)
        .pointers(
            x.gathered() ? groups.assignments() : null,
            groups.offsets(),
            weights.bias(),
            weights.gateBias())
        .pointer(x.address())
        .pointer(weights.weight())
        .pointer(weights.gate())
        .pointer(CudaTensor.of(out).writable())
        .numbers(groups.count(), groups.topK(), x.width(), width, slots)
        .numbers(Kernel.code(activation), out.type() == DType.F32 ? 1 : 0)
        .run();
  }

  @Override
  public void backInput(
      CudaStream stream, Products.Groups groups, int slots, Rows dY, long weight, Tensor dX) {
    int in = (int) dX.shape().lastDim();
    int tile = tile(groups, slots, in);
    BACK_INPUT
        .launch(stream, tile, rowTiles(groups, slots, tile), Math.ceilDiv(in, tile), 1)
        .pointers(groups.offsets())
        .pointer(dY.address())
        .pointer(weight)
        .pointer(CudaTensor.of(dX).writable())
        .numbers(groups.count(), slots, in, dY.width(), dY.stride())
        .numbers(dX.type() == DType.F32 ? 1 : 0)
        .run();
  }

  @Override
  public void backWeight(
      CudaStream stream, Products.Groups groups, int slots, Rows dY, long x, Tensor dWeight) {
    int in = (int) dWeight.shape().lastDim();
    int out = dY.width();
    long large = (long) Math.ceilDiv(in, 128) * Math.ceilDiv(out, 128) * groups.count();
    int tile = large >= multiprocessors ? 128 : 64;
    BACK_WEIGHT
        .launch(stream, tile, Math.ceilDiv(in, tile), Math.ceilDiv(out, tile), groups.count())
        .pointers(groups.offsets(), dWeight)
        .pointer(dY.address())
        .pointer(x)
        .numbers(slots, in, out, dY.stride())
        .run();
  }

  /// Tiles of 128 if groups fill them and there are enough for all multiprocessors, else of 64.
  private int tile(Products.Groups groups, int rows, int columns) {
    long tiles = (long) Math.ceilDiv(rows, 128) * Math.ceilDiv(columns, 128);
    boolean filled = rows > (long) FEW_ROWS * groups.count();
    return filled && tiles >= multiprocessors ? 128 : 64;
  }

  private static long rowTiles(Products.Groups groups, int rows, int tile) {
    return (long) Math.ceilDiv(rows, tile) + (groups.offsets() == null ? 0 : groups.count());
  }
}
