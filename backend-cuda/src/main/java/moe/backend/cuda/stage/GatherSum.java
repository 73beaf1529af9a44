package moe.backend.cuda.stage;

import moe.backend.cuda.CudaStream;
import moe.backend.cuda.Kernel;
import moe.spi.device.Tensor;
import moe.spi.stage.LayerSpec;
import org.jspecify.annotations.Nullable;

/// Sums over the rows of each token's experts, in the order of k, and their gradient.
final class GatherSum {
  private static final Kernel SUM = new Kernel("rows", "moe_gather_sum");
  private static final Kernel BACK = new Kernel("rows", "moe_gather_sum_back");

  private GatherSum() {}

  /// `out[t] = Σ_k gates[t, k] · rows[position]`, or added to `out`.
  ///
  /// @param gates null for all ones
  static void run(
      CudaStream stream,
      LayerSpec spec,
      int tokens,
      Tensor rows,
      Tensor positions,
      @Nullable Tensor gates,
      Tensor out,
      boolean accumulate) {
    stream
        .launch(SUM, 256, tokens, 1, 1)
        .tensor(rows)
        .tensor(positions)
        .tensor(gates)
        .tensor(out)
        .number((long) tokens * spec.topK())
        .number(spec.topK())
        .number(spec.dModel())
        .number(accumulate ? 1 : 0)
        .run();
  }

  /// `dRows[position] = gates[t, k] · dOut[t]`, `dGates[t, k] = ⟨dOut[t], rows[position]⟩`.
  ///
  /// @param dRows may be `rows`
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
        .tensor(dOut)
        .tensor(rows)
        .tensor(positions)
        .tensor(gates)
        .tensor(dRows)
        .tensor(dGates)
        .number(slots)
        .number(spec.topK())
        .number(spec.dModel())
        .run();
  }
}
