package moe.backend.cuda;

import moe.spi.device.DType;
import moe.spi.device.Tensor;
import org.jspecify.annotations.Nullable;

/// Linear layers in TF32 by the kernels for compute capability 9.0, `experts_tf32.cu`. The copy
/// engine rounds both operands; only rows that are not sorted yet are copied before.
record HopperTf32(int multiprocessors) implements RoundingForward {
  private static final int BLOCK = 384;
  private static final Kernel GATHER = new Kernel("round", "moe_round_gathered_tf32");
  private static final Kernel FEW = new Kernel("experts_tf32", "moe_experts_tf32_n32");
  private static final Kernel SOME = new Kernel("experts_tf32", "moe_experts_tf32_n128");
  private static final Kernel MANY = new Kernel("experts_tf32", "moe_experts_tf32_n256");

  @Override
  public boolean suits(int rows, Tensor x, Tensor weight) {
    return rows > Products.FEW_ROWS
        && weight.type() == DType.F32
        && Products.inFours(weight, (int) weight.shape().lastDim());
  }

  @Override
  public void product(
      CudaStream stream,
      Products.Groups groups,
      int rows,
      Tensor x,
      Tensor weight,
      @Nullable Tensor bias,
      Tensor y) {
    int in = (int) x.shape().lastDim();
    int out = (int) y.shape().lastDim();
    long from = CudaTensor.of(x).address();
    if (groups.assignments() != null || !Products.inFours(x, in)) {
      from = stream.room(0, 2L * rows * in);
      HalfRows.gather(stream, GATHER, groups, rows, x, from);
    }
    int tile =
        HalfProducts.isFew(rows, groups.count())
            ? 32
            : HopperHalf.wide(multiprocessors, rows, groups.count(), out) ? 256 : 128;
    stream
        .launch(tile == 32 ? FEW : tile == 128 ? SOME : MANY, BLOCK, multiprocessors & ~1, 1, 1)
        .shared(HalfGemm.sharedBytes(tile, groups.count()))
        .dependent()
        .floats(CudaTensor.of(weight).address(), in, (long) groups.count() * out, 128)
        .floats(from, in, rows, 32)
        .pointers(null, null, groups.offsets(), bias, null, y)
        .pointer(stream.ticket())
        .numbers(groups.count(), 1, in, out, tile, 1, 0, rows, 0)
        .run();
  }
}
