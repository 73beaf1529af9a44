package moe.backend.cpu.kernel;

import java.util.Arrays;
import moe.spi.device.Activation;

/// The gradient of grouped linear layers with respect to their input: `dX[r] = W_gᵀ · dY[r]`.
///
/// A reusable call like `GroupedForward`: `weights` begins a new one. The sum over outFeatures runs
/// in blocks of 384, in order.
///
/// First all threads pack the rows of dY (gathered and gated), some at a time, as tiles read them.
/// Then a task is a block of up to 288 rows times some input features: it packs its weights in
/// panels of columns. A panel stays in the first cache while all rows pass.
public final class GroupedBackwardInput {
  // A multiple of the rows of every packed tile.
  private static final int ROWS = 288;
  private static final int COLUMNS = 192;
  private static final int SMALL_COLUMNS = 96;
  private static final int STEPS = 384;
  // Floats of a line of the cache.
  private static final int LINE = 16;
  // Floats of packed rows in memory at once, 32 MiB.
  private static final int WAVE = 1 << 23;

  private static final int B = 0;
  private static final int CORNER = 1;
  private static final int COPY = 2;

  private final CpuThreads threads;
  private final TileKernels tiles;
  private final TileEdges edges;
  private final ActivationKernels elements;
  private final RowBlocks blocks;
  private final int height;
  private final LinearCall call = new LinearCall();
  private final CpuThreads.Job pack = this::pack;
  private final CpuThreads.Job multiply = this::multiply;
  private Floats packed = Floats.NONE;
  private int waveStart;
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
    height = tiles.packedRows();
    blocks = new RowBlocks(ROWS, height);
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
    chunk = tasks >= 4 * threads.size() ? COLUMNS : SMALL_COLUMNS;
    chunks = Math.ceilDiv(call.inFeatures, chunk);
    int tileFloats = Math.multiplyExact(tiles.pitch(), call.outFeatures);
    for (int start = 0; start < blocks.size(); ) {
      int end = blocks.wave(start, WAVE / tileFloats);
      waveStart = start;
      int length = (blocks.panelsBefore(end) - blocks.panelsBefore(start)) * tileFloats;
      packed = threads.arrays().borrow(length);
      try {
        threads.run((end - start) * (ROWS / height), pack);
        threads.run((end - start) * chunks, multiply);
      } finally {
        threads.arrays().giveBack(packed);
      }
      start = end;
    }
  }

  /// Computes rows 0 to `rows − 1` of a single group.
  public void run(int rows) {
    run(call.dense(rows));
  }

  // Where a block begins in the packed rows.
  private int base(int block) {
    int before = blocks.panelsBefore(block) - blocks.panelsBefore(waveStart);
    return before * tiles.pitch() * call.outFeatures;
  }

  // One tile of rows, all of outFeatures.
  private void pack(int index) {
    int block = waveStart + index / (ROWS / height);
    int row = index % (ROWS / height) * height;
    int rows = Math.min(height, blocks.rows(block) - row);
    if (rows <= 0) {
      return;
    }
    int n = call.outFeatures;
    int to = base(block) + row / height * tiles.pitch() * n;
    Scratch scratch = threads.scratch();
    Rows gradient = call.gradient;
    int first = blocks.first(block) + row;
    if (gradient.inOrder()) {
      int at = gradient.offset(first);
      edges.pack(gradient.data(), at, gradient.stride(), rows, n, packed.array(), to, scratch);
      return;
    }
    float[] copy = scratch.floats(COPY, height * n);
    for (int i = 0; i < rows; i++) {
      int at = gradient.offset(first + i);
      elements.scale(gradient.gate(first + i), gradient.data(), at, copy, i * n, n);
    }
    edges.pack(copy, 0, n, rows, n, packed.array(), to, scratch);
  }

  private void multiply(int index) {
    int block = waveStart + index / chunks;
    int from = index % chunks * chunk;
    int width = Math.min(chunk, call.inFeatures - from);
    int lanes = tiles.lanes();
    Scratch scratch = threads.scratch();
    float[] b = scratch.floats(B, Math.ceilDiv(width, 2 * lanes) * 2 * panel(STEPS));
    float[] corner = scratch.floats(CORNER, height * 2 * lanes);
    int first = call.outputAt + blocks.first(block) * call.outputStride + from;
    if (!call.accumulate) {
      for (int row = 0; row < blocks.rows(block); row++) {
        int to = first + row * call.outputStride;
        Arrays.fill(call.output, to, to + width, 0);
      }
    }
    for (int step = 0; step < call.outFeatures; step += STEPS) {
      int steps = Math.min(STEPS, call.outFeatures - step);
      packWeights(blocks.group(block), step, steps, from, width, b);
      int panel = panel(steps);
      int tile = base(block) + step * tiles.pitch();
      for (int row = 0; row < blocks.rows(block); row += height) {
        for (int column = 0; column < width; column += 2 * lanes) {
          edges.tile(
              packed.array(),
              tile,
              b,
              column / lanes * panel,
              (column / lanes + 1) * panel,
              steps,
              call.output,
              first + row * call.outputStride + column,
              call.outputStride,
              blocks.rows(block) - row,
              width - column,
              corner);
        }
        tile += tiles.pitch() * call.outFeatures;
      }
    }
    if (call.pre != null) {
      throughActivation(block, from, width);
    }
  }

  // From one panel to the next. A line more than it holds: a multiple of 4096 bytes between panels
  // would put the lines that are written together into the same few places of the first cache.
  private int panel(int steps) {
    return steps * tiles.lanes() + LINE;
  }

  private void packWeights(int group, int step, int steps, int from, int width, float[] b) {
    int first = call.weightsAt + (group * call.outFeatures + step) * call.inFeatures + from;
    int k = call.inFeatures;
    tiles.panels(call.weights, first, k, steps, width, b, 0, panel(steps));
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
