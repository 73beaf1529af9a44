package moe.backend.cuda;

import moe.spi.device.Activation;
import moe.spi.device.Tensor;
import org.jspecify.annotations.Nullable;

/// The products of one kind of device in a format of 16 bits, by addresses.
sealed interface HalfKernels permits HopperHalf, PortableHalf {
  /// Rows of this format.
  ///
  /// @param gathered whether they are all tokens, else sorted
  /// @param width elements of a row
  /// @param stride from row to row, in elements, a multiple of 8
  record Rows(long address, boolean gathered, int width, int stride) {
    /// Rows that follow one another.
    Rows(long address, boolean gathered, int width) {
      this(address, gathered, width, width);
    }
  }

  /// Weights `[groups, out, in]` by their addresses.
  ///
  /// @param gate 0 for none
  record Weights(
      long weight, long gate, @Nullable Tensor bias, @Nullable Tensor gateBias, int out) {}

  /// `out = activation(W·x + b)`, or `activation(W_gate·x + b_gate) ∘ (W·x + b)`.
  ///
  /// @param out F32 or of this format; F32 with room for `parts` results
  /// @param parts 1 unless rows are few and sorted
  void forward(
      CudaStream stream,
      Products.Groups groups,
      int slots,
      Rows x,
      Weights weights,
      Activation activation,
      Tensor out,
      int parts);

  /// `dX = Wᵀ·dY`.
  ///
  /// @param dX F32 or of this format `[slots, in]`
  void backInput(
      CudaStream stream, Products.Groups groups, int slots, Rows dY, long weight, Tensor dX);

  /// `dW += dYᵀ·x`.
  ///
  /// @param x the address of sorted rows
  /// @param dWeight F32 `[groups, out, in]`
  void backWeight(
      CudaStream stream, Products.Groups groups, int slots, Rows dY, long x, Tensor dWeight);
}
