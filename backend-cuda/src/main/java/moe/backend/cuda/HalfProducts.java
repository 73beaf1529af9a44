package moe.backend.cuda;

import moe.backend.cuda.HalfKernels.Rows;
import moe.backend.cuda.HalfKernels.Weights;
import moe.spi.device.Activation;
import moe.spi.device.DType;
import moe.spi.device.Shape;
import moe.spi.device.Tensor;
import org.jspecify.annotations.Nullable;

/// Matrix products of bf16 or binary16 on tensor cores, dense or of all experts at once, sums in
/// float32. Checks nothing.
///
/// Weights may be F32: then their copies in 16 bits are multiplied. Gradients are of bf16 alone.
public final class HalfProducts {
  /// The mean of rows an expert up to which they are few.
  private static final int FEW_ROWS = 64;

  private final int multiprocessors;
  private final Halves halves;
  private final HalfKernels kernels;

  HalfProducts(int multiprocessors, Halves halves, HalfKernels kernels) {
    this.multiprocessors = multiprocessors;
    this.halves = halves;
    this.kernels = kernels;
  }

  /// The products of a device.
  ///
  /// @param hopper whether it has kernels of its own
  static HalfProducts of(Device device, Halves halves, boolean hopper) {
    int multiprocessors = device.multiprocessors();
    HalfKernels kernels =
        hopper
            ? new HopperHalf(multiprocessors, halves.type())
            : new PortableHalf(multiprocessors, halves.type());
    return new HalfProducts(multiprocessors, halves, kernels);
  }

  /// An expert's layer.
  ///
  /// @param weight F32 or of this type `[experts, out, in]`
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

  /// BF16 or F16.
  public DType type() {
    return halves.type();
  }

  /// Whether these products have gradients.
  public boolean trains() {
    return halves.type() == DType.BF16;
  }

  /// Whether weights can be multiplied.
  public boolean reads(Tensor weight) {
    return halves.reads(weight);
  }

  /// New rows of this type.
  public CudaTensor allocate(Shape shape) {
    return halves.allocate(shape);
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
  /// @param tokens of this type: all tokens if `gathered`, else sorted rows
  /// @param hidden of this type `[slots, dHidden]`
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
    var weights =
        new Weights(
            halves.address(stream, up.weight()),
            gate == null ? 0 : halves.address(stream, gate.weight()),
            up.bias(),
            gate == null ? null : gate.bias(),
            (int) hidden.shape().lastDim());
    Rows rows = new Rows(CudaTensor.of(tokens).address(), gathered, up.in());
    kernels.forward(stream, groups, slots, rows, weights, activation, hidden, 1);
  }

  /// `out = W·rows + b`.
  ///
  /// @param rows of this type `[slots, in]`, sorted
  /// @param out `[slots, width]`, F32, or of this type if the width is a multiple of 8
  public void forward(
      CudaStream stream, Products.Groups groups, int slots, Tensor rows, Layer layer, Tensor out) {
    forwardInParts(stream, groups, slots, rows, layer, out, 1);
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
    forward(stream, groups, slots, CudaTensor.of(rows).address(), layer, out, parts);
  }

  private void forward(
      CudaStream stream,
      Products.Groups groups,
      int slots,
      long rows,
      Layer layer,
      Tensor out,
      int parts) {
    long weight = halves.address(stream, layer.weight());
    var weights = new Weights(weight, 0, layer.bias(), null, (int) out.shape().lastDim());
    Rows x = new Rows(rows, false, layer.in());
    kernels.forward(stream, groups, slots, x, weights, Activation.NONE, out, parts);
  }

  /// These weights in 16 bits, up to date.
  public CudaTensor rounded(CudaStream stream, Tensor weight) {
    return halves.tensor(stream, weight);
  }

  /// A layer of rounded rows at an address, sorted: `y = W·x + b`.
  void forward(CudaStream stream, Products.Groups groups, int rows, long x, Layer layer, Tensor y) {
    forward(stream, groups, rows, x, layer, y, 1);
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
    Rows rows = new Rows(dY, false, out, stride);
    kernels.backInput(stream, groups, slots, rows, halves.address(stream, weight), dX);
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
    Products.backBias(stream, groups, slots, dY, dBias);
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
    Rows rows = new Rows(dY, false, out, stride);
    kernels.backWeight(stream, groups, slots, rows, x, dWeight);
  }
}
