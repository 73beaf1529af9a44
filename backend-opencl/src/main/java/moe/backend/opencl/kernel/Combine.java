package moe.backend.opencl.kernel;

import org.jspecify.annotations.Nullable;

/// Experts' rows brought back to their tokens, and the gradient of this. Confined to one thread.
public final class Combine {
  private final JavaKernel sum;
  private final JavaKernel gates;
  private final JavaKernel rows;
  private final int topK;
  private final int width;

  public Combine(Kernels kernels, int topK, int width) {
    sum = kernels.translated(new CombineKernel());
    gates = kernels.translated(new CombineGatesKernel());
    rows = kernels.translated(new CombineRowsKernel());
    this.topK = topK;
    this.width = width;
  }

  /// `out[t] = Σ_k gates[t, k]·rows[positions[t, k]]`.
  public void weighted(
      Region from, Region positions, Region gate, Region out, int tokens, WorkQueue queue) {
    start(from, positions, gate, out, false, tokens, queue);
  }

  /// `out[t] += Σ_k rows[positions[t, k]]`.
  public void add(Region from, Region positions, Region out, int tokens, WorkQueue queue) {
    start(from, positions, null, out, true, tokens, queue);
  }

  /// `dGates[t, k] = ⟨dOut[t], rows[positions[t, k]]⟩`.
  public void gatesBackward(
      Region dOut, Region from, Region positions, Region dGates, int tokens, WorkQueue queue) {
    gates
        .array("dOut", dOut)
        .array("rows", from)
        .array("positions", positions)
        .array("dGates", dGates)
        .whole("slots", tokens * topK)
        .whole("topK", topK)
        .whole("width", width)
        .items(queue, (long) tokens * topK);
  }

  /// `dRows[positions[t, k]] = gates[t, k]·dOut[t]`.
  public void rowsBackward(
      Region dOut, Region gate, Region positions, Region dRows, int tokens, WorkQueue queue) {
    rows.array("dOut", dOut)
        .array("gates", gate)
        .array("positions", positions)
        .array("dRows", dRows)
        .whole("slots", tokens * topK)
        .whole("topK", topK)
        .whole("width", width)
        .table(queue, width, (long) tokens * topK);
  }

  private void start(
      Region from,
      Region positions,
      @Nullable Region gate,
      Region out,
      boolean accumulate,
      int tokens,
      WorkQueue queue) {
    sum.array("rows", from)
        .array("positions", positions)
        .array("gates", gate)
        .array("out", out)
        .whole("weighted", gate == null ? 0 : 1)
        .whole("accumulate", accumulate ? 1 : 0)
        .whole("tokens", tokens)
        .whole("topK", topK)
        .whole("width", width)
        .table(queue, width, tokens);
  }
}
