package moe.backend.cuda;

import moe.spi.device.Activation;
import moe.spi.device.DType;
import moe.spi.device.Tensor;

/// Products of bf16 or binary16 by the kernels for compute capability 9.0: `grouped_gemm.cuh` and
/// `experts_weight.cu`.
///
/// @param type BF16 or F16; gradients are of BF16 alone
record HopperHalf(int multiprocessors, DType type) implements HalfKernels {
  private static final int BLOCK = 384;
  private static final int WEIGHT_SHARED = 1024 + 4 * 49152 + 64;
  private static final int SOME_ROWS = 384; // mean of an expert up to which tiles of 128 are used
  private static final Kernel WEIGHT = new Kernel("experts_weight", "moe_experts_weight");

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
    boolean raises = x.gathered() || weights.gate() != 0 || activation != Activation.NONE;
    Tiled tiled =
        raises
            ? Tiled.most(up(slots, groups.count(), weights, x.gathered(), activation))
            : down(slots, groups.count(), x.width(), weights.out(), out.type() == DType.F32);
    long rows = (long) groups.count() * weights.out();
    boolean upFirst = weights.gate() == 0 || weights.weight() < weights.gate();
    Launch launch = begin(stream, tiled.gemm(), groups);
    if (weights.gate() == 0) {
      launch.matrix(weights.weight(), x.width(), rows, x.width(), 128);
    } else {
      long first = Math.min(weights.weight(), weights.gate());
      launch.turns(first, Math.abs(weights.gate() - weights.weight()), x.width(), rows);
    }
    launch
        .matrix(x.address(), x.width(), slots, x.stride(), 32)
        .pointers()
        .pointer(x.gathered() ? x.address() : 0)
        .pointer(x.gathered() ? groups.assignments() : null)
        .pointer(groups.offsets())
        .pointer(weights.bias())
        .pointer(weights.gateBias())
        .pointer(CudaTensor.of(out).writable())
        .pointer(stream.ticket())
        .numbers(groups.count(), groups.topK(), x.width(), weights.out(), tiled.rows(), parts)
        .numbers(Kernel.code(activation), slots, upFirst ? 1 : 0)
        .run();
  }

  private HalfGemm up(
      int slots, int experts, Weights weights, boolean gathered, Activation activation) {
    boolean gated = weights.gate() != 0;
    if (gathered) {
      return gated ? HalfGemm.UP_32_GATED : HalfGemm.UP_32;
    }
    boolean made = activation == (gated ? Activation.SILU : Activation.GELU);
    if (made && wide(slots, experts, gated ? 2 * weights.out() : weights.out())) {
      return gated ? HalfGemm.UP_256_GATED_SILU : HalfGemm.UP_256_GELU;
    }
    return gated ? HalfGemm.UP_128_GATED : HalfGemm.UP_128;
  }

  /// A kernel and the most rows of its tiles.
  private record Tiled(HalfGemm gemm, int rows) {
    static Tiled most(HalfGemm gemm) {
      return new Tiled(gemm, gemm.rows());
    }
  }

  private Tiled down(int slots, int experts, int in, int out, boolean floats) {
    if (!floats) {
      return tiled(slots, experts, in, out, HalfGemm.DOWN_128, HalfGemm.DOWN_256);
    }
    return HalfProducts.isFew(slots, experts)
        ? Tiled.most(HalfGemm.DOWN_32)
        : tiled(slots, experts, in, out, HalfGemm.DOWN_128_F32, HalfGemm.DOWN_256_F32);
  }

  /// One of two kernels. How many rows an expert gets is not known here, but a dense product's are.
  private Tiled tiled(int slots, int experts, int in, int out, HalfGemm some, HalfGemm many) {
    if (experts > 1) {
      return Tiled.most(wide(slots, experts, out) ? many : some);
    }
    int rows = DenseTiles.rows(multiprocessors, slots, in, out);
    return new Tiled(rows > some.rows() ? many : some, rows);
  }

  @Override
  public void backInput(
      CudaStream stream, Products.Groups groups, int slots, Rows dY, long weight, Tensor dX) {
    int in = (int) dX.shape().lastDim();
    int experts = groups.count();
    Tiled tiled =
        dX.type() == DType.F32
            ? tiled(slots, experts, dY.width(), in, HalfGemm.BACK_128_F32, HalfGemm.BACK_256_F32)
            : tiled(slots, experts, dY.width(), in, HalfGemm.BACK_128, HalfGemm.BACK_256);
    boolean dense = tiled.gemm().equals(HalfGemm.BACK_128_F32) && experts == 1;
    int parts = dense ? backParts(slots, in, dY.width()) : 1;
    int rows = parts > 1 ? tiled.gemm().rows() : tiled.rows();
    long to =
        parts > 1 ? Parts.room(stream, (long) parts * slots * in) : CudaTensor.of(dX).writable();
    begin(stream, tiled.gemm(), groups)
        .matrix(weight, in, (long) experts * dY.width(), in, 64)
        .matrix(dY.address(), dY.width(), slots, dY.stride(), 32)
        .pointers(null, null, groups.offsets(), null, null)
        .pointer(to)
        .pointer(stream.ticket())
        .numbers(experts, 1, dY.width(), in, rows, parts, 0, slots, 0)
        .run();
    if (parts > 1) {
      Parts.sum(stream, to, parts, dX, false);
    }
  }

  /// In how many parts a long sum is taken, so that its few tiles fill the multiprocessors.
  private int backParts(int rows, int in, int out) {
    int tiles = Math.ceilDiv(rows, 128) * Math.ceilDiv(in, 128);
    return Math.clamp(2L * multiprocessors / tiles, 1, Math.clamp(out / 2048, 1, 8));
  }

  @Override
  public void backWeight(
      CudaStream stream, Products.Groups groups, int slots, Rows dY, long x, Tensor dWeight) {
    int in = (int) dWeight.shape().lastDim();
    CudaTensor gradient = CudaTensor.of(dWeight);
    boolean overwrites = gradient.isWhole() && gradient.takeZeros();
    stream
        .launch(WEIGHT, BLOCK, multiprocessors, 1, 1)
        .shared(WEIGHT_SHARED + 4 * (groups.count() + 1))
        .dependent()
        .matrix(dY.address(), dY.width(), slots, dY.stride(), 64)
        .matrix(x, in, slots, in, 64)
        .pointers(groups.offsets(), dWeight)
        .numbers(groups.count(), slots, dY.width(), in, overwrites ? 1 : 0)
        .run();
  }

  private boolean wide(int slots, int experts, int out) {
    return wide(multiprocessors, slots, experts, out);
  }

  /// Whether tiles of 256 rows are many enough for all pairs of multiprocessors.
  static boolean wide(int multiprocessors, int slots, int experts, int out) {
    int mean = Math.ceilDiv(slots, experts);
    long pairs = (long) Math.ceilDiv(mean, 256) * experts * Math.ceilDiv(out, 256);
    return mean > SOME_ROWS && pairs >= multiprocessors / 2;
  }

  private Launch begin(CudaStream stream, HalfGemm gemm, Products.Groups groups) {
    return stream
        .launch(gemm.kernel(type), BLOCK, multiprocessors & ~1, 1, 1)
        .shared(gemm.sharedBytes(groups.count()))
        .dependent();
  }
}
