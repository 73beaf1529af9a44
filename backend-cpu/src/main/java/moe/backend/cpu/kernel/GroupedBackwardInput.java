package moe.backend.cpu.kernel;

import java.util.Arrays;
import moe.spi.device.Activation;

/// The gradient of grouped linear layers with respect to their input: `dX[r] = W_gᵀ · dY[r]`.
///
/// A reusable call like `GroupedForward`: `weights` begins a new one. The sum over outFeatures runs
/// in blocks of 384, in order.
///
/// A task is a block of rows times up to 192 input features. It packs its weights in panels of
/// columns, `[panel][outFeatures][lanes]`, small enough for the second cache, and runs all rows
/// along them, 4 or 8 at a time, copied together (gathered and gated) so that they fit the first.
public final class GroupedBackwardInput {
  private static final int ROWS = 512;
  private static final int COLUMNS = 192;
  private static final int SMALL_COLUMNS = 64;
  private static final int STEPS = 384;

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
    int lanes = tiles.lanes();
    int height = tiles.rows();
    Scratch scratch = threads.scratch();
    float[] a = scratch.floats(A, height * STEPS);
    float[] b = scratch.floats(B, Math.ceilDiv(width, lanes) * lanes * STEPS);
    float[] corner = scratch.floats(CORNER, height * lanes);
    for (int step = 0; step < call.outFeatures; step += STEPS) {
      int steps = Math.min(STEPS, call.outFeatures - step);
      boolean add = call.accumulate || step > 0;
      packWeights(blocks.group(block), step, steps, from, width, b);
      for (int row = 0; row < blocks.rows(block); row += height) {
        int rows = Math.min(height, blocks.rows(block) - row);
        int first = blocks.first(block) + row;
        packGradient(first, rows, step, steps, a);
        int c = call.outputAt + first * call.outputStride + from;
        for (int column = 0; column < width; column += lanes) {
          edges.tile(
              a,
              0,
              steps,
              b,
              column * steps,
              steps,
              call.output,
              c + column,
              call.outputStride,
              add,
              rows,
              width - column,
              corner);
        }
      }
    }
    if (call.pre != null) {
      throughActivation(block, from, width);
    }
  }

  private void packGradient(int first, int rows, int step, int steps, float[] a) {
    float[] dY = call.gradient.data();
    for (int row = 0; row < rows; row++) {
      int at = call.gradient.offset(first + row) + step;
      if (call.gradient.gated()) {
        elements.scale(call.gradient.gate(first + row), dY, at, a, row * steps, steps);
      } else {
        System.arraycopy(dY, at, a, row * steps, steps);
      }
    }
    Arrays.fill(a, rows * steps, tiles.rows() * steps, 0);
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
