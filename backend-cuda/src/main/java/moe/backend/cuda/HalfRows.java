package moe.backend.cuda;

import moe.spi.device.Activation;
import moe.spi.device.DType;
import moe.spi.device.Tensor;

/// Rows on their way to tensor cores and between their products; see `half_rows.cu` and `round.cu`.
public final class HalfRows {
  private static final Kernel ROUND = new Kernel("half_rows", "moe_round_rows");
  private static final Kernel ROUND_SORTED = new Kernel("half_rows", "moe_round_sorted");
  private static final Kernel SORT = new Kernel("half_rows", "moe_sort_rows");
  private static final Kernel GATHER_F16 = new Kernel("round", "moe_round_gathered_f16");
  private static final Kernel ACTIVATE = new Kernel("half_rows", "moe_activate_half");
  private static final Kernel ACTIVATE_BACK = new Kernel("half_rows", "moe_activate_half_back");
  private static final Kernel GATE = new Kernel("half_rows", "moe_gate_half");
  private static final Kernel GATE_BACK = new Kernel("half_rows", "moe_gate_half_back");
  private static final int ELEMENTS_PER_BLOCK = 2048;
  private static final int MOST_BLOCKS = 65535;
  private static final int GATHERED = 1024; // columns of a block

  private HalfRows() {}

  static long blocks(long elements) {
    return Math.min(Math.ceilDiv(elements, ELEMENTS_PER_BLOCK), MOST_BLOCKS);
  }

  /// `y = x`, rounded.
  ///
  /// @param x F32 `[rows, width]`
  /// @param y BF16, rows `stride` apart
  static void round(CudaStream stream, Tensor x, long y, int rows, int width, int stride) {
    boolean vector = width % 8 == 0 && CudaTensor.of(x).address() % 16 == 0;
    stream
        .launch(ROUND, 256, blocks((long) rows * stride), 1, 1)
        .dependent()
        .reads(x)
        .address(y)
        .number(rows)
        .number(width)
        .number(stride)
        .number(vector ? 1 : 0)
        .run();
  }

  /// `y[r] = x[assignments[r] / topK]`, rounded to binary16; `x[r]` without assignments.
  static void gather(CudaStream stream, Products.Groups groups, int rows, Tensor x, long y) {
    gather(stream, GATHER_F16, groups, rows, x, y);
  }

  /// The same by one of the kernels of `round.cu`.
  static void gather(
      CudaStream stream, Kernel kernel, Products.Groups groups, int rows, Tensor x, long y) {
    int width = (int) x.shape().lastDim();
    stream
        .launch(kernel, 256, rows, Math.ceilDiv(width, GATHERED), 1)
        .dependent()
        .reads(x)
        .reads(groups.assignments())
        .address(y)
        .number(x.shape().rows())
        .number(groups.topK())
        .number(width)
        .number(Products.inFours(x, width) ? 1 : 0)
        .run();
  }

  /// The address of `x` in bf16, rows `stride` apart: as somebody left it, or rounded here.
  ///
  /// @param y room for the latter
  static long rounded(CudaStream stream, Tensor x, long y, int rows, int stride) {
    int width = (int) x.shape().lastDim();
    Tensor left = stride == width ? stream.roundedRows().of(x) : null;
    if (left != null) {
      return CudaTensor.of(left).address();
    }
    round(stream, x, y, rows, width, stride);
    return y;
  }

  /// The first `rows` rows of `y` become those of `x`, rounded.
  public static void round(CudaStream stream, Tensor x, Tensor y, int rows) {
    int width = (int) x.shape().lastDim();
    long to = CudaTensor.of(y).writable();
    if (y.type() == DType.F16) {
      gather(stream, Products.Groups.ONE, rows, x, to);
    } else {
      round(stream, x, to, rows, width, width);
    }
  }

  /// Copies each token, rounded, to the rows of its experts.
  ///
  /// @param positions I32 `[tokens, topK]`
  public static void sort(
      CudaStream stream,
      Products.Groups groups,
      Tensor tokens,
      Tensor positions,
      Tensor sorted,
      int slots) {
    if (sorted.type() == DType.F16) {
      gather(stream, groups, slots, tokens, CudaTensor.of(sorted).writable());
      return;
    }
    Tensor left = stream.roundedRows().of(tokens);
    int topK = groups.topK();
    int width = (int) tokens.shape().lastDim();
    stream
        .launch(
            left == null ? ROUND_SORTED : SORT,
            256,
            slots / topK,
            Math.ceilDiv(width, ELEMENTS_PER_BLOCK),
            1)
        .dependent()
        .reads(left == null ? tokens : left)
        .reads(positions)
        .tensor(sorted)
        .number(slots)
        .number(topK)
        .number(width)
        .run();
  }

  /// `hidden = activation(pre)` of the first `n` elements, a multiple of 8.
  public static void activate(
      CudaStream stream, Activation activation, Tensor pre, Tensor hidden, long n) {
    each(stream, ACTIVATE, n).reads(pre).tensor(hidden).wide(n).activation(activation).run();
  }

  /// `d = d ∘ activation′(pre)`.
  public static void activateBack(
      CudaStream stream, Activation activation, Tensor pre, Tensor d, long n) {
    each(stream, ACTIVATE_BACK, n).reads(pre).tensor(d).wide(n).activation(activation).run();
  }

  /// `hidden = activation(gate) ∘ up`.
  public static void gate(
      CudaStream stream, Activation activation, Tensor gate, Tensor up, Tensor hidden, long n) {
    each(stream, GATE, n).reads(gate).reads(up).tensor(hidden).wide(n).activation(activation).run();
  }

  /// The gradients of both inputs of `gate`.
  ///
  /// @param d of its output; may be `dUp`
  public static void gateBack(
      CudaStream stream,
      Activation activation,
      Tensor gate,
      Tensor up,
      Tensor d,
      Tensor dGate,
      Tensor dUp,
      long n) {
    each(stream, GATE_BACK, n)
        .reads(gate)
        .reads(up)
        .reads(d)
        .tensor(dGate)
        .tensor(dUp)
        .wide(n)
        .activation(activation)
        .run();
  }

  private static Launch each(CudaStream stream, Kernel kernel, long n) {
    return stream.launch(kernel, 256, blocks(n), 1, 1).dependent();
  }
}
