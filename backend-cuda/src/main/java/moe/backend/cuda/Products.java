package moe.backend.cuda;

import moe.spi.device.Activation;
import moe.spi.device.DType;
import moe.spi.device.Tensor;
import org.jspecify.annotations.Nullable;

/// The matrix products of linear layers, dense or of all experts at once; checks nothing.
public final class Products {
  /// Up to so many rows a warp takes an output: the weights are then read at memory speed.
  static final int FEW_ROWS = 8;

  private static final Kernel FEW = new Kernel("linear_forward", "moe_linear_few");
  private static final Kernel FEW_BF16 = new Kernel("linear_forward", "moe_linear_few_bf16w");
  private static final Kernel FEW_F16 = new Kernel("linear_forward", "moe_linear_few_f16w");
  private static final Kernel BACK_BIAS = new Kernel("linear_back_weight", "moe_linear_back_bias");
  private static final Kernel BACK_BIAS_BF16 = new Kernel("half_rows", "moe_half_back_bias");

  private final int multiprocessors;
  private final @Nullable RoundingForward rounding;
  private final TilePair forward;
  private final TilePair forwardBf16;
  private final TilePair backInput;
  private final TilePair backWeight;

  /// @param rounding takes what it can of the forward products; null for nothing
  Products(int multiprocessors, Arithmetic arithmetic, @Nullable RoundingForward rounding) {
    this.rounding = rounding;
    this.multiprocessors = multiprocessors;
    String kind =
        switch (arithmetic) {
          case F32 -> "f32";
          case TF32, BF16, F16 -> "tf32";
        };
    forward = TilePair.of("linear_forward", "moe_linear_" + kind, "");
    forwardBf16 = TilePair.of("linear_forward", "moe_linear_" + kind, "_bf16w");
    backInput = TilePair.of("linear_back_input", "moe_linear_back_input_" + kind, "");
    backWeight = TilePair.of("linear_back_weight", "moe_linear_back_weight_" + kind, "");
  }

  /// A kernel with tiles of 64 and of 128.
  private record TilePair(Kernel small, Kernel large) {
    static TilePair of(String image, String prefix, String suffix) {
      return new TilePair(
          new Kernel(image, prefix + "_64" + suffix), new Kernel(image, prefix + "_128" + suffix));
    }
  }

  /// Which rows belong to which group.
  ///
  /// @param count of groups, 1 for a dense layer
  /// @param offsets I32 `[count + 1]`; null for a dense layer
  /// @param assignments I32 `[rows]`: row r of the input is row `assignments[r] / topK`; null for r
  public record Groups(
      int count, @Nullable Tensor offsets, @Nullable Tensor assignments, int topK) {
    /// A dense layer.
    public static final Groups ONE = new Groups(1, null, null, 1);

    /// The same groups over an input that is sorted already.
    public Groups sorted() {
      return new Groups(count, offsets, null, 1);
    }
  }

  /// `y = activation(W·x + b)`.
  ///
  /// @param rows the most there can be
  /// @param pre F32 `[rows, out]`: what the activation was applied to; null if not needed
  public void forward(
      CudaStream stream,
      Groups groups,
      int rows,
      Tensor x,
      Tensor weight,
      @Nullable Tensor bias,
      Activation activation,
      @Nullable Tensor pre,
      Tensor y) {
    if (rounding != null && rounding.suits(rows, x, weight)) {
      rounding.forward(stream, groups, rows, x, weight, bias, activation, pre, y);
      return;
    }
    int in = (int) weight.shape().lastDim();
    int out = (int) y.shape().lastDim();
    boolean bf16 = weight.type() == DType.BF16;
    int vector = inFours(x, in) && inFours(weight, in) ? 1 : 0;
    Launch launch;
    if (rows <= FEW_ROWS) {
      launch = stream.launch(few(weight.type()), 256, Math.ceilDiv(out, 8), rows, 1).dependent();
      vector *= launch.isOld(weight) ? 3 : 1;
    } else {
      launch = tiles(stream, bf16 ? forwardBf16 : forward, groups, rows, out);
    }
    launch
        .reads(x)
        .reads(groups.assignments())
        .reads(groups.offsets())
        .reads(weight)
        .tensor(bias)
        .tensor(pre)
        .tensor(y)
        .number(groups.count())
        .number(rows)
        .number(groups.topK())
        .number(in)
        .number(out)
        .activation(activation)
        .number(vector)
        .run();
  }

  private static Kernel few(DType weights) {
    return switch (weights) {
      case F32, I32 -> FEW;
      case BF16 -> FEW_BF16;
      case F16 -> FEW_F16;
    };
  }

  /// `dX = Wᵀ·dY ∘ activation′(pre)`.
  ///
  /// @param pre F32 `[rows, in]`; null for no activation
  /// @param accumulate whether to add to `dX`
  public void backInput(
      CudaStream stream,
      Groups groups,
      int rows,
      Tensor dY,
      Tensor weight,
      Activation activation,
      @Nullable Tensor pre,
      Tensor dX,
      boolean accumulate) {
    int in = (int) dX.shape().lastDim();
    int out = (int) dY.shape().lastDim();
    tiles(stream, backInput, groups, rows, in)
        .tensor(dY)
        .tensor(groups.offsets())
        .reads(weight)
        .tensor(pre)
        .tensor(dX)
        .number(groups.count())
        .number(rows)
        .number(in)
        .number(out)
        .activation(activation)
        .number(accumulate ? 1 : 0)
        .number((inFours(dY, out) ? 1 : 0) + (inFours(weight, in) ? 2 : 0))
        .run();
  }

  /// `dW += dYᵀ·x`, `db += Σ dY`.
  public void backWeight(
      CudaStream stream,
      Groups groups,
      int rows,
      Tensor dY,
      Tensor x,
      Tensor dWeight,
      @Nullable Tensor dBias) {
    int in = (int) x.shape().lastDim();
    int out = (int) dY.shape().lastDim();
    if (rows == 0) {
      return;
    }
    if (groups.offsets() == null
        && groups.assignments() == null
        && Parts.suits(rows, in, out, multiprocessors)) {
      Parts.backWeight(stream, rows, dY, x, dWeight);
      backBias(stream, groups, rows, dY, dBias);
      return;
    }
    long largeTiles = (long) Math.ceilDiv(in, 128) * Math.ceilDiv(out, 128) * groups.count();
    boolean large = largeTiles >= multiprocessors;
    int tile = large ? 128 : 64;
    stream
        .launch(
            large ? backWeight.large() : backWeight.small(),
            256,
            Math.ceilDiv(in, tile),
            Math.ceilDiv(out, tile),
            groups.count())
        .tensor(dY)
        .tensor(x)
        .tensor(groups.assignments())
        .tensor(groups.offsets())
        .tensor(dWeight)
        .number(rows)
        .number(groups.topK())
        .number(in)
        .number(out)
        .number((inFours(dY, out) ? 1 : 0) + (inFours(x, in) ? 2 : 0))
        .run();
    backBias(stream, groups, rows, dY, dBias);
  }

  /// `db += Σ dY` over the rows of each group.
  ///
  /// @param dY F32 or BF16 `[rows, out]`
  static void backBias(
      CudaStream stream, Groups groups, int rows, Tensor dY, @Nullable Tensor dBias) {
    if (dBias == null) {
      return;
    }
    int out = (int) dY.shape().lastDim();
    boolean bf16 = dY.type() == DType.BF16;
    stream
        .launch(
            bf16 ? BACK_BIAS_BF16 : BACK_BIAS,
            32,
            Math.ceilDiv(out, bf16 ? 64 : 32),
            groups.count(),
            1)
        .blockRows(32)
        .dependent()
        .reads(dY)
        .reads(groups.offsets())
        .tensor(dBias)
        .number(rows)
        .number(out)
        .run();
  }

  /// Tiles of 128 if there are enough of them for all multiprocessors, else of 64.
  private Launch tiles(CudaStream stream, TilePair kernels, Groups groups, int rows, int columns) {
    boolean large = (long) Math.ceilDiv(rows, 128) * Math.ceilDiv(columns, 128) >= multiprocessors;
    int tile = large ? 128 : 64;
    long rowTiles =
        rows == 0 ? 0 : Math.ceilDiv(rows, tile) + (groups.offsets() == null ? 0 : groups.count());
    return stream.launch(
        large ? kernels.large() : kernels.small(), 256, Math.ceilDiv(columns, tile), rowTiles, 1);
  }

  /// Whether 4 neighbours can be loaded at once, in every row.
  public static boolean inFours(Tensor tensor, int width) {
    return width % 4 == 0 && CudaTensor.of(tensor).address() % (4L * tensor.type().bytes()) == 0;
  }
}
