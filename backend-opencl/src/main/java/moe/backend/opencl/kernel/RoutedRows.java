package moe.backend.opencl.kernel;

import org.jspecify.annotations.Nullable;

/// Rows taken from and given back to their tokens, one expert at a time. Confined to one thread.
public final class RoutedRows {
  private final JavaKernel gather;
  private final JavaKernel scatter;
  private final JavaKernel gates;
  private final JavaKernel values;
  private Region assignments = new Region(0, 0);
  private int n;
  private int slots;
  private int topK;
  private int width;

  public RoutedRows(Kernels kernels) {
    gather = kernels.translated(new GatherRowsKernel());
    scatter = kernels.translated(new ScatterRowsKernel());
    gates = kernels.translated(new ScatterGatesKernel());
    values = kernels.translated(new ScatterGradientKernel());
  }

  /// What the next operation works on.
  ///
  /// @param assignments `[n]`, each `token·topK + k`
  /// @param slots `tokens·topK`; assignments beyond are left out
  public RoutedRows routing(Region assignments, int n, int slots, int topK, int width) {
    this.assignments = assignments;
    this.n = n;
    this.slots = slots;
    this.topK = topK;
    this.width = width;
    return this;
  }

  /// `out[i] = x[assignments[i] / topK]`.
  public void gather(Region x, Region out, WorkQueue queue) {
    set(gather).array("x", x).array("out", out).table(queue, width, n);
  }

  /// `out[a / topK] += gates[a]·values[i]`.
  public void scatter(Region from, @Nullable Region gate, Region out, WorkQueue queue) {
    set(scatter)
        .array("values", from)
        .array("gates", gate)
        .array("out", out)
        .whole("weighted", gate == null ? 0 : 1)
        .table(queue, width, n);
  }

  /// `dGates[a] = ⟨dOut[a / topK], values[i]⟩`, then `dValues[i] = gates[a]·dOut[a / topK]`.
  public void scatterBackward(
      Region dOut, Region from, Region gate, Region dValues, Region dGates, WorkQueue queue) {
    set(gates).array("dOut", dOut).array("values", from).array("dGates", dGates).items(queue, n);
    set(values)
        .array("dOut", dOut)
        .array("gates", gate)
        .array("dValues", dValues)
        .table(queue, width, n);
  }

  private JavaKernel set(JavaKernel kernel) {
    return kernel
        .array("assignments", assignments)
        .whole("n", n)
        .whole("slots", slots)
        .whole("topK", topK)
        .whole("width", width);
  }
}
