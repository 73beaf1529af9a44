package moe.backend.cuda;

import moe.spi.device.Activation;
import moe.spi.device.DType;
import moe.spi.device.Tensor;
import org.jspecify.annotations.Nullable;

/// Matrix products of bf16 on the tensor cores of compute capability 9.0, dense or of all experts
/// at once, sums in float32; see `grouped_gemm.cuh` and `experts_weight.cu`. Checks nothing.
///
/// Weights may be F32: then their copies in bf16 are multiplied.
public final class HalfProducts {
  private static final int BLOCK = 384;
  private static final int WEIGHT_SHARED = 1024 + 4 * 49152 + 64;

  /// Means of rows an expert up to which tiles of 32 and of 128 rows are used.
  private static final int FEW_ROWS = 64;

  private static final int SOME_ROWS = 384;

  private static final Kernel WEIGHT = new Kernel("experts_weight", "moe_experts_weight");
  private final int multiprocessors;
  private final Halves halves;

  HalfProducts(int multiprocessors, Halves halves) {
    this.multiprocessors = multiprocessors;
    this.halves = halves;
  }

  /// An expert's layer.
  ///
  /// @param weight F32 or BF16 `[experts, out, in]`
  /// @param bias F32 `[experts, out]`
  public record Layer(Tensor weight, @Nullable Tensor bias) {
    int in() {
      return (int) weight.shape().lastDim();
    }
  }

  /// Whether weights can be read: rows of a multiple of 8 elements.
  public static boolean fits(Tensor weight) {
    return Halves.fits(weight);
  }

  /// Whether so few rows an expert are best gathered by the product itself.
  public static boolean isFew(int slots, int experts) {
    return slots <= (long) FEW_ROWS * experts;
  }

  /// The most slots that are few, of so many.
  public static int mostFew(int maxSlots, int experts) {
    return (int) Math.min(maxSlots, (long) FEW_ROWS * experts);
  }

  /// In how many parts a product of few rows adds up, so that all multiprocessors have work.
  public int parts(int slots, int experts, int in, int out) {
    long units = (long) Math.clamp(slots, 1, experts) * Math.ceilDiv(out, 128);
    return units < multiprocessors * 3L / 4 ? Math.min(2, Math.ceilDiv(in, 64)) : 1;
  }

  /// `hidden = activation(W·x + b)`, or `activation(W_gate·x + b_gate) ∘ (W·x + b)`.
  ///
  /// @param tokens BF16: of all slots if `gathered`, else sorted rows
  /// @param hidden BF16 `[slots, dHidden]`
  public void up(
      CudaStream stream,
      Products.Groups groups,
      int slots,
      Tensor tokens,
      boolean gathered,
      Layer up,
      @Nullable Layer gate,
      Activation activation,
      Tensor hidden) {
    int out = (int) hidden.shape().lastDim();
    int in = up.in();
    HalfGemm gemm = up(slots, groups.count(), out, gathered, gate != null, activation);
    long first = halves.address(stream, up.weight());
    boolean upFirst = true;
    long second = gate == null ? 0 : halves.address(stream, gate.weight());
    long rows = (long) groups.count() * out;
    Launch launch = begin(stream, gemm, groups);
    if (gate == null) {
      launch.matrix(first, in, rows, in, 128);
    } else {
      upFirst = first < second;
      launch.turns(Math.min(first, second), Math.abs(second - first), in, rows);
    }
    launch
        .matrix(CudaTensor.of(tokens).address(), in, slots, in, 32)
        .pointers(
            gathered ? tokens : null,
            gathered ? groups.assignments() : null,
            groups.offsets(),
            up.bias(),
            gate == null ? null : gate.bias(),
            hidden)
        .pointer(stream.ticket())
        .numbers(groups.count(), groups.topK(), in, out, gemm.rows(), 1)
        .numbers(Launch.code(activation), slots, upFirst ? 1 : 0)
        .run();
  }

  private HalfGemm up(
      int slots, int experts, int out, boolean gathered, boolean gated, Activation activation) {
    if (gathered) {
      return gated ? HalfGemm.UP_32_GATED : HalfGemm.UP_32;
    }
    boolean made = activation == (gated ? Activation.SILU : Activation.GELU);
    if (made && wide(slots, experts, gated ? 2 * out : out)) {
      return gated ? HalfGemm.UP_256_GATED_SILU : HalfGemm.UP_256_GELU;
    }
    return gated ? HalfGemm.UP_128_GATED : HalfGemm.UP_128;
  }

  /// `out = W·rows + b`.
  ///
  /// @param rows BF16 `[slots, in]`, sorted
  /// @param out `[slots, width]`, F32, or BF16 if the width is a multiple of 8
  public void forward(
      CudaStream stream, Products.Groups groups, int slots, Tensor rows, Layer layer, Tensor out) {
    int width = (int) out.shape().lastDim();
    boolean wide = wide(slots, groups.count(), width);
    HalfGemm gemm =
        out.type() == DType.BF16
            ? wide ? HalfGemm.DOWN_256 : HalfGemm.DOWN_128
            : wide
                ? HalfGemm.DOWN_256_F32
                : isFew(slots, groups.count()) ? HalfGemm.DOWN_32 : HalfGemm.DOWN_128_F32;
    forward(stream, gemm, groups, slots, CudaTensor.of(rows).address(), layer, out, width, 1);
  }

  /// The same for few rows, in parts that are yet to be added.
  ///
  /// @param out F32, room for `[parts, slots, width]`
  public void forwardInParts(
      CudaStream stream,
      Products.Groups groups,
      int slots,
      Tensor rows,
      Layer layer,
      Tensor out,
      int parts) {
    int width = (int) out.shape().lastDim();
    long from = CudaTensor.of(rows).address();
    forward(stream, HalfGemm.DOWN_32, groups, slots, from, layer, out, width, parts);
  }

  private void forward(
      CudaStream stream,
      HalfGemm gemm,
      Products.Groups groups,
      int slots,
      long rows,
      Layer layer,
      Tensor out,
      int width,
      int parts) {
    int in = layer.in();
    long weight = halves.address(stream, layer.weight());
    begin(stream, gemm, groups)
        .matrix(weight, in, (long) groups.count() * width, in, 128)
        .matrix(rows, in, slots, in, 32)
        .pointers(null, null, groups.offsets(), layer.bias(), null, out)
        .pointer(stream.ticket())
        .numbers(groups.count(), 1, in, width, gemm.rows(), parts, 0, slots, 0)
        .run();
  }

  /// These weights in bf16, up to date.
  public CudaTensor rounded(CudaStream stream, Tensor weight) {
    return halves.tensor(stream, weight);
  }

  /// A dense layer of rounded rows at an address: `y = W·x + b`.
  void dense(CudaStream stream, int rows, long x, Layer layer, Tensor y) {
    int width = (int) y.shape().lastDim();
    HalfGemm gemm =
        isFew(rows, 1)
            ? HalfGemm.DOWN_32
            : wide(rows, 1, width) ? HalfGemm.DOWN_256_F32 : HalfGemm.DOWN_128_F32;
    forward(stream, gemm, Products.Groups.ONE, rows, x, layer, y, width, 1);
  }

  /// `dX = Wᵀ·dY`.
  ///
  /// @param dY BF16 `[slots, out]`, sorted
  /// @param dX `[slots, in]`, F32 or BF16
  public void backInput(
      CudaStream stream, Products.Groups groups, int slots, Tensor dY, Tensor weight, Tensor dX) {
    int out = (int) dY.shape().lastDim();
    backInput(stream, groups, slots, CudaTensor.of(dY).address(), out, out, weight, dX);
  }

  /// The same for rows at an address, `stride` elements apart.
  void backInput(
      CudaStream stream,
      Products.Groups groups,
      int slots,
      long dY,
      int out,
      int stride,
      Tensor weight,
      Tensor dX) {
    int in = (int) weight.shape().lastDim();
    boolean wide = wide(slots, groups.count(), in);
    HalfGemm gemm =
        dX.type() == DType.BF16
            ? wide ? HalfGemm.BACK_256 : HalfGemm.BACK_128
            : wide ? HalfGemm.BACK_256_F32 : HalfGemm.BACK_128_F32;
    long from = halves.address(stream, weight);
    boolean dense = gemm.equals(HalfGemm.BACK_128_F32) && groups.count() == 1;
    int parts = dense ? backParts(slots, in, out) : 1;
    long to =
        parts > 1 ? Parts.room(stream, (long) parts * slots * in) : CudaTensor.of(dX).writable();
    begin(stream, gemm, groups)
        .matrix(from, in, (long) groups.count() * out, in, 64)
        .matrix(dY, out, slots, stride, 32)
        .pointers(null, null, groups.offsets(), null, null)
        .pointer(to)
        .pointer(stream.ticket())
        .numbers(groups.count(), 1, out, in, gemm.rows(), parts, 0, slots, 0)
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

  /// `dW += dYᵀ·x`, `db += Σ dY`.
  ///
  /// @param dY BF16 `[slots, out]`, sorted
  /// @param x BF16 `[slots, in]`, sorted
  public void backWeight(
      CudaStream stream,
      Products.Groups groups,
      int slots,
      Tensor dY,
      Tensor x,
      Tensor dWeight,
      @Nullable Tensor dBias) {
    int out = (int) dY.shape().lastDim();
    long from = CudaTensor.of(dY).address();
    backWeight(stream, groups, slots, from, out, out, CudaTensor.of(x).address(), dWeight);
    HalfRows.backBias(stream, groups, slots, dY, dBias);
  }

  /// The product for rows at addresses.
  ///
  /// @param stride of dY, in elements
  void backWeight(
      CudaStream stream,
      Products.Groups groups,
      int slots,
      long dY,
      int out,
      int stride,
      long x,
      Tensor dWeight) {
    int in = (int) dWeight.shape().lastDim();
    stream
        .launch(WEIGHT, BLOCK, multiprocessors, 1, 1)
        .shared(WEIGHT_SHARED + 4 * (groups.count() + 1))
        .dependent()
        .matrix(dY, out, slots, stride, 64)
        .matrix(x, in, slots, in, 64)
        .pointers(groups.offsets(), dWeight)
        .numbers(groups.count(), slots, out, in)
        .run();
  }

  /// Whether tiles of 256 rows are many enough for all pairs of multiprocessors.
  private boolean wide(int slots, int experts, int out) {
    int mean = Math.ceilDiv(slots, experts);
    long pairs = (long) Math.ceilDiv(mean, 256) * experts * Math.ceilDiv(out, 256);
    return mean > SOME_ROWS && pairs >= multiprocessors / 2;
  }

  private Launch begin(CudaStream stream, HalfGemm gemm, Products.Groups groups) {
    return stream
        .launch(gemm.kernel(), BLOCK, multiprocessors & ~1, 1, 1)
        .shared(gemm.sharedBytes(groups.count()))
        .dependent();
  }
}
