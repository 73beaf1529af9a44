package moe.backend.cuda.stage;

import moe.backend.cuda.CudaStream;
import moe.backend.cuda.Kernel;
import moe.spi.device.Tensor;
import moe.spi.stage.LayerSpec;
import org.jspecify.annotations.Nullable;

/// Sums over the rows of each token's experts in the order of k, 8 columns a thread, and their
/// gradient in bf16.
final class HalfCombine {
  private static final Kernel TWO_HALVES = new Kernel("combine", "moe_combine_two_bf16_f32");
  private static final Kernel HALVES = new Kernel("combine", "moe_combine_bf16_f32");
  private static final Kernel TWO_F16 = new Kernel("combine", "moe_combine_two_f16_f32");
  private static final Kernel F16 = new Kernel("combine", "moe_combine_f16_f32");
  private static final Kernel TWO_FLOATS = new Kernel("combine", "moe_combine_two_f32_f32");
  private static final Kernel FLOATS = new Kernel("combine", "moe_combine_f32_f32");
  private static final Kernel BACK = new Kernel("half_rows", "moe_combine_back_half");
  private static final int COLUMNS = 8;

  private HalfCombine() {}

  /// `out[t] = Σ_k gates[t, k] · rows[position]`, or added to `out`.
  ///
  /// @param rows BF16, F16 or F32 `[parts, slots, dModel]`; the parts are added up
  /// @param gates null for all ones
  static void run(
      CudaStream stream,
      LayerSpec spec,
      int tokens,
      Tensor rows,
      int parts,
      Tensor positions,
      @Nullable Tensor gates,
      Tensor out,
      boolean accumulate) {
    int pieces = spec.dModel() / COLUMNS;
    int block = Math.min(256, Math.ceilDiv(pieces, 32) * 32);
    boolean two = spec.topK() <= 2;
    Kernel kernel =
        switch (rows.type()) {
          case BF16 -> two ? TWO_HALVES : HALVES;
          case F16 -> two ? TWO_F16 : F16;
          case F32, I32 -> two ? TWO_FLOATS : FLOATS;
        };
    stream
        .launch(kernel, block, tokens, Math.ceilDiv(pieces, block), 1)
        .dependent()
        .pointers(rows, positions, gates, out)
        .numbers(tokens, spec.topK(), spec.dModel(), parts, tokens * spec.topK())
        .numbers(accumulate ? 1 : 0)
        .run();
  }

  /// `dRows[position] = gates[t, k] · dOut[t]`, `dGates[t, k] = ⟨dOut[t], rows[position]⟩`.
  ///
  /// @param rows BF16
  /// @param dRows BF16
  static void back(
      CudaStream stream,
      LayerSpec spec,
      int tokens,
      Tensor dOut,
      Tensor rows,
      Tensor positions,
      Tensor gates,
      Tensor dRows,
      Tensor dGates) {
    long slots = (long) tokens * spec.topK();
    stream
        .launch(BACK, 256, slots, 1, 1)
        .dependent()
        .reads(dOut)
        .reads(rows)
        .reads(positions)
        .reads(gates)
        .tensor(dRows)
        .tensor(dGates)
        .number(slots)
        .number(spec.topK())
        .number(spec.dModel())
        .run();
  }
}
