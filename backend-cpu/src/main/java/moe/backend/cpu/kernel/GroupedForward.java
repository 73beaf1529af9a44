package moe.backend.cpu.kernel;

import moe.spi.device.Activation;
import org.jspecify.annotations.Nullable;

/// The forward of linear layers side by side: `y[r] = activation(W_g · x[r] + b_g)` for each row r
/// of each group g. One group is a dense layer.
///
/// An instance is a reusable call: `weights` begins a new one and forgets everything set before,
/// `run` computes it. It is confined to one thread and allocates nothing once its scratch has grown
/// to the largest call. Tensors are row-major; a stride is the distance of rows in floats.
///
/// The sum over inFeatures runs in blocks of 768, in order, so a result depends on its row, its
/// weights and where it lies in its group, and not on the number of threads.
public final class GroupedForward {
  private final LinearCall call = new LinearCall();
  private final PanelForward panels;

  /// A call that runs on these threads with these loops.
  public GroupedForward(CpuThreads threads, InnerLoops loops) {
    this(threads, loops.tiles, loops.activations);
  }

  GroupedForward(CpuThreads threads, TileKernels tiles, ActivationKernels elements) {
    panels = new PanelForward(threads, tiles, elements);
  }

  /// Begins a call: no bias, no activation, plain input, output overwritten.
  ///
  /// @param weights `[groups, outFeatures, inFeatures]`, F32 or bfloat16
  public GroupedForward weights(Elements weights, int groups, int outFeatures, int inFeatures) {
    call.begin(weights, groups, outFeatures, inFeatures);
    return this;
  }

  /// What is added to each row.
  ///
  /// @param bias `[groups, outFeatures]`, or null
  public GroupedForward bias(@Nullable Floats bias) {
    call.bias(bias);
    return this;
  }

  /// The function applied as results are stored.
  public GroupedForward activation(Activation activation) {
    call.activation = activation;
    return this;
  }

  /// What the weights are applied to.
  ///
  /// @param x `[rows, inFeatures]`
  public GroupedForward input(Floats x, int stride) {
    call.input.plain(x, stride);
    return this;
  }

  /// Row r is computed from row `assignments[r] / topK` of the input.
  public GroupedForward gather(Ints assignments, int topK) {
    call.input.gather(assignments, topK);
    return this;
  }

  /// Where the results go.
  ///
  /// @param y `[rows, outFeatures]`, written at the rows of the groups and nowhere else
  public GroupedForward output(Floats y, int stride) {
    call.output(y, stride);
    return this;
  }

  /// What the weights are applied to, as `outputPanels` left it for the same offsets.
  ///
  /// @param x `[panelRows(…), inFeatures]`
  public GroupedForward inputPanels(Floats x) {
    call.input.plain(x, call.inFeatures);
    call.panelsIn = true;
    return this;
  }

  /// Where the results go in the order in which `inputPanels` reads them, which spares the next
  /// product a copy of its input. Nothing is kept for the backward.
  ///
  /// @param y `[panelRows(…), outFeatures]`
  public GroupedForward outputPanels(Floats y) {
    call.output(y, call.outFeatures);
    call.panelsOut = true;
    return this;
  }

  /// The most rows that panels of `rows` rows of `groups` groups take.
  public static int panelRows(InnerLoops loops, int rows, int groups) {
    return rows + Math.min(rows, groups) * (loops.tiles.lanes() - 1);
  }

  /// The rows that the panels of the last run took.
  public int panelRows() {
    return panels.panelRows();
  }

  /// Keeps what the activation is applied to, for the backward.
  ///
  /// @param pre `[rows, outFeatures]`, or null
  public GroupedForward preActivation(@Nullable Floats pre, int stride) {
    call.pre(pre, stride);
    return this;
  }

  /// Adds the results to the output.
  public GroupedForward accumulate() {
    call.accumulate = true;
    return this;
  }

  /// Computes all groups.
  ///
  /// @param offsets `[groups + 1]`: rows `offsets[g]` to `offsets[g + 1] − 1` belong to group g
  public void run(Ints offsets) {
    if (call.panelsOut && (call.pre != null || call.accumulate)) {
      throw new IllegalStateException("panels are neither kept for the backward nor added to");
    }
    panels.run(call, offsets);
  }

  /// Computes rows 0 to `rows − 1` of a single group.
  public void run(int rows) {
    panels.run(call, call.dense(rows));
  }
}
