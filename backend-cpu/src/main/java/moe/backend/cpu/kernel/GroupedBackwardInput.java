package moe.backend.cpu.kernel;

import java.util.Arrays;
import moe.spi.device.Activation;

/// The gradient of grouped linear layers with respect to their input: `dX[r] = W_gᵀ · dY[r]`.
///
/// A reusable call like `GroupedForward`: `weights` begins a new one. The sum over outFeatures runs
/// in blocks of 128, in order.
///
/// A task is a block of up to 256 rows times up to 256 input features. It packs both operands for
/// its own use: dY by rows (gathered and gated on the way), the weights in panels of columns.
public final class GroupedBackwardInput {
  private static final int ROWS = 256;
  private static final int COLUMNS = 256;
  private static final int SMALL_COLUMNS = 64;
  private static final int STEPS = 128;

  private static final int A = 0;
  private static final int B = 1;
  private static final int CORNER = 2;

  private final CpuThreads threads;
  private final TileKernels tiles;
  private final TileEdges edges;
  private final ActivationKernels elements;
  private final RowBlocks blocks = new RowBlocks(ROWS, 1, 0);
  private final LinearCall call = new LinearCall();
  private final CpuThreads.Job multiply = this::multiply;
  private int chunk;
  private int chunks;

  /// A call that runs on these threads with these loops.
  public GroupedBackwardInput(CpuThreads threads, InnerLoops loops) {
    this(threads, loops.tiles, loops.activations);
  }

  GroupedBackwardInput(CpuThreads threads, TileKernels tiles, ActivationKernels elements) {
    this.threads = threads;
    this.tiles = tiles;
    this.elements = elements;
    edges = new TileEdges(tiles);
  }

  /// Begins a call: plain gradient, no activation, output overwritten.
  ///
  /// @param weights `[groups, outFeatures, inFeatures]`
  public GroupedBackwardInput weights(Floats weights, int groups, int outFeatures, int inFeatures) {
    call.begin(weights, groups, outFeatures, inFeatures);
    return this;
  }

  /// The gradient of the output.
  ///
  /// @param dY `[rows, outFeatures]`
  public GroupedBackwardInput gradient(Floats dY, int stride) {
    call.gradient.plain(dY, stride);
    return this;
  }

  /// The gradient of row r is row `assignments[r] / topK`.
  public GroupedBackwardInput gather(Ints assignments, int topK) {
    call.gradient.gather(assignments, topK);
    return this;
  }

  /// Multiplies the gradient of row r by `gates[assignments[r]]`, or by `gates[r]` if not gathered.
  public GroupedBackwardInput gates(Floats gates) {
    call.gradient.gates(gates);
    return this;
  }

  /// Multiplies the results by the derivative of the activation that made the input.
  ///
  /// @param pre `[rows, inFeatures]`, what the activation was applied to
  public GroupedBackwardInput through(Activation activation, Floats pre, int stride) {
    call.activation = activation;
    call.pre(pre, stride);
    return this;
  }

  /// Where the results go.
  ///
  /// @param dX `[rows, inFeatures]`, written at the rows of the groups and nowhere else
  public GroupedBackwardInput output(Floats dX, int stride) {
    call.output(dX, stride);
    return this;
  }

  /// Adds the results to the output; not together with `through`.
  public GroupedBackwardInput accumulate() {
    call.accumulate = true;
    return this;
  }

  /// Computes all groups.
  ///
  /// @param offsets `[groups + 1]`: rows `offsets[g]` to `offsets[g + 1] − 1` belong to group g
  public void run(Ints offsets) {
    if (call.accumulate && call.pre != null) {
      throw new IllegalStateException("a gradient through an activation cannot be accumulated");
    }
    blocks.cut(offsets, call.groups);
    int tasks = blocks.size() * Math.ceilDiv(call.inFeatures, COLUMNS);
    chunk = tasks >= 8 * threads.size() ? COLUMNS : SMALL_COLUMNS;
    chunks = Math.ceilDiv(call.inFeatures, chunk);
    threads.run(blocks.size() * chunks, multiply);
  }

  /// Computes rows 0 to `rows − 1` of a single group.
  public void run(int rows) {
    run(call.dense(rows));
  }

  private void multiply(int index) {
    int block = index / chunks;
    int from = index % chunks * chunk;
    int width = Math.min(chunk, call.inFeatures - from);
    int rows = blocks.rows(block);
    int lanes = tiles.lanes();
    int panels = Math.ceilDiv(width, lanes);
    Scratch scratch = threads.scratch();
    float[] a = scratch.floats(A, (rows + tiles.rows()) * STEPS);
    float[] b = scratch.floats(B, panels * lanes * STEPS);
    float[] corner = scratch.floats(CORNER, tiles.rows() * lanes);
    for (int step = 0; step < call.outFeatures; step += STEPS) {
      int steps = Math.min(STEPS, call.outFeatures - step);
      packGradient(block, step, steps, a);
      packWeights(blocks.group(block), step, steps, from, width, b);
      boolean add = call.accumulate || step > 0;
      for (int panel = 0; panel < panels; panel++) {
        int column = panel * lanes;
        for (int row = 0; row < rows; row += tiles.rows()) {
          int c = call.outputAt + (blocks.first(block) + row) * call.outputStride + from + column;
          edges.tile(
              a,
              row * steps,
              steps,
              b,
              column * steps,
              steps,
              call.output,
              c,
              call.outputStride,
              add,
              rows - row,
              width - column,
              corner);
        }
      }
    }
    if (call.pre != null) {
      throughActivation(block, from, width);
    }
  }

  private void packGradient(int block, int step, int steps, float[] a) {
    int rows = blocks.rows(block);
    for (int row = 0; row < rows; row++) {
      int r = blocks.first(block) + row;
      float[] dY = call.gradient.data();
      int at = call.gradient.offset(r) + step;
      if (call.gradient.gated()) {
        elements.scale(call.gradient.gate(r), dY, at, a, row * steps, steps);
      } else {
        System.arraycopy(dY, at, a, row * steps, steps);
      }
    }
    int end = Math.ceilDiv(rows, tiles.rows()) * tiles.rows();
    Arrays.fill(a, rows * steps, end * steps, 0);
  }

  private void packWeights(int group, int step, int steps, int from, int width, float[] b) {
    int first = call.weightsAt + (group * call.outFeatures + step) * call.inFeatures + from;
    for (int p = 0; p < steps; p++) {
      int lanes = tiles.lanes();
      tiles.panels(call.weights, first + p * call.inFeatures, width, b, p * lanes, steps * lanes);
    }
  }

  private void throughActivation(int block, int from, int width) {
    float[] pre = call.pre;
    if (pre == null) {
      return;
    }
    for (int row = 0; row < blocks.rows(block); row++) {
      int r = blocks.first(block) + row;
      int x = call.preAt + r * call.preStride + from;
      int d = call.outputAt + r * call.outputStride + from;
      elements.activateBackward(call.activation, pre, x, call.output, d, call.output, d, width);
    }
  }
}
