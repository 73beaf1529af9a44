package moe.backend.cpu.kernel;

import org.jspecify.annotations.Nullable;

/// The gradient of grouped linear layers with respect to their weights: `dW_g += Σ_r dY[r] ⊗ x[r]`
/// and `db_g += Σ_r dY[r]` over the rows of group g.
///
/// A reusable call like `GroupedForward`: `gradients` begins a new one. The sums over rows run in
/// blocks of 256, in order.
///
/// First all threads copy the rows of x (gathered) into panels of columns. Then a task is a group
/// times a chunk of output features: it packs its columns of dY transposed (gathered, gated).
public final class GroupedBackwardWeight {
  private static final int ROWS = 256;
  private static final int ROWS_PER_JOB = 16;
  private static final int CHUNK = 96;
  private static final int SMALL_CHUNK = 24;
  // Features of x whose panels stay in the second cache, a multiple of all lanes.
  private static final int COLUMNS = 256;
  // Floats of packed rows in memory at once, 32 MiB.
  private static final int WAVE = 1 << 23;

  private static final int A = 0;
  private static final int CORNER = 1;
  private static final int GATES = 2;
  private static final int SUMS = 3;

  private final CpuThreads threads;
  private final TileKernels tiles;
  private final TileEdges edges;
  private final ActivationKernels elements;
  private final RowBlocks blocks = new RowBlocks(ROWS, 1);
  private final LinearCall call = new LinearCall();
  private final CpuThreads.Job pack = this::pack;
  private final CpuThreads.Job multiply = this::multiply;

  private Floats packed = Floats.NONE;
  private int waveStart;
  private int waveEnd;
  private int packedColumns;
  private int chunk;
  private int chunks;

  /// A call that runs on these threads with these loops.
  public GroupedBackwardWeight(CpuThreads threads, InnerLoops loops) {
    this(threads, loops.tiles, loops.activations);
  }

  GroupedBackwardWeight(CpuThreads threads, TileKernels tiles, ActivationKernels elements) {
    this.threads = threads;
    this.tiles = tiles;
    this.elements = elements;
    edges = new TileEdges(tiles);
  }

  /// Begins a call: plain operands, no bias.
  ///
  /// @param dW `[groups, outFeatures, inFeatures]`, accumulated
  public GroupedBackwardWeight gradients(Floats dW, int groups, int outFeatures, int inFeatures) {
    call.begin(dW, groups, outFeatures, inFeatures);
    return this;
  }

  /// The gradient of the bias.
  ///
  /// @param dB `[groups, outFeatures]`, accumulated, or null
  public GroupedBackwardWeight bias(@Nullable Floats dB) {
    call.bias(dB);
    return this;
  }

  /// The gradient of the output.
  ///
  /// @param dY `[rows, outFeatures]`
  public GroupedBackwardWeight gradient(Floats dY, int stride) {
    call.gradient.plain(dY, stride);
    return this;
  }

  /// The gradient of row r is row `assignments[r] / topK`.
  public GroupedBackwardWeight gatherGradient(Ints assignments, int topK) {
    call.gradient.gather(assignments, topK);
    return this;
  }

  /// Multiplies the gradient of row r by `gates[assignments[r]]`, or by `gates[r]` if not gathered.
  public GroupedBackwardWeight gates(Floats gates) {
    call.gradient.gates(gates);
    return this;
  }

  /// The input of the forward.
  ///
  /// @param x `[rows, inFeatures]`, the input of the forward
  public GroupedBackwardWeight input(Floats x, int stride) {
    call.input.plain(x, stride);
    return this;
  }

  /// The input of row r is row `assignments[r] / topK`.
  public GroupedBackwardWeight gatherInput(Ints assignments, int topK) {
    call.input.gather(assignments, topK);
    return this;
  }

  /// Computes all groups.
  ///
  /// @param offsets `[groups + 1]`: rows `offsets[g]` to `offsets[g + 1] − 1` belong to group g
  public void run(Ints offsets) {
    blocks.cut(offsets, call.groups);
    int pair = 2 * tiles.lanes();
    packedColumns = Math.ceilDiv(call.inFeatures, pair) * pair;
    int tasks = call.groups * Math.ceilDiv(call.outFeatures, CHUNK);
    chunk = tasks >= 4 * threads.size() ? CHUNK : SMALL_CHUNK;
    chunks = Math.ceilDiv(call.outFeatures, chunk);
    for (int start = 0; start < blocks.size(); start = waveEnd) {
      waveStart = start;
      waveEnd = blocks.wave(start, WAVE / packedColumns);
      int rows = blocks.panelsBefore(waveEnd) - blocks.panelsBefore(start);
      int length = Math.multiplyExact(rows, packedColumns);
      packed = threads.arrays().borrow(length);
      try {
        threads.run((waveEnd - start) * (ROWS / ROWS_PER_JOB), pack);
        threads.run((waveEnd - start) * chunks, multiply);
      } finally {
        threads.arrays().giveBack(packed);
      }
    }
  }

  /// Computes rows 0 to `rows − 1` of a single group.
  public void run(int rows) {
    run(call.dense(rows));
  }

  private int base(int block) {
    return (blocks.panelsBefore(block) - blocks.panelsBefore(waveStart)) * packedColumns;
  }

  private void pack(int index) {
    int block = waveStart + index / (ROWS / ROWS_PER_JOB);
    int from = index % (ROWS / ROWS_PER_JOB) * ROWS_PER_JOB;
    int rows = blocks.rows(block);
    int lanes = tiles.lanes();
    for (int row = from; row < Math.min(rows, from + ROWS_PER_JOB); row++) {
      int x = call.input.offset(blocks.first(block) + row);
      int to = base(block) + row * lanes;
      tiles.panels(call.input.data(), x, 0, 1, call.inFeatures, packed.array(), to, rows * lanes);
    }
  }

  // The first block of a group does all blocks of the group, in order.
  private void multiply(int index) {
    int block = waveStart + index / chunks;
    if (block > waveStart && blocks.group(block) == blocks.group(block - 1)) {
      return;
    }
    int from = index % chunks * chunk;
    int n = Math.min(chunk, call.outFeatures - from);
    int end = blocks.endOfGroup(block, waveEnd);
    for (int next = block; next < end; next++) {
      multiply(next, from, n);
    }
  }

  private void multiply(int block, int from, int n) {
    int rows = blocks.rows(block);
    int lanes = tiles.lanes();
    int height = tiles.packedRows();
    Scratch scratch = threads.scratch();
    float[] a = scratch.floats(A, Math.ceilDiv(chunk, height) * tiles.pitch() * ROWS);
    float[] corner = scratch.floats(CORNER, height * 2 * lanes);
    packGradient(block, from, n, a, scratch);
    int first = blocks.group(block) * call.outFeatures + from;
    for (int left = 0; left < call.inFeatures; left += COLUMNS) {
      int right = Math.min(call.inFeatures, left + COLUMNS);
      for (int i = 0; i < n; i += height) {
        // Along the rows of dW, so that they are fetched ahead.
        for (int column = left; column < right; column += 2 * lanes) {
          edges.tile(
              a,
              i / height * tiles.pitch() * rows,
              packed.array(),
              base(block) + column * rows,
              base(block) + (column + lanes) * rows,
              rows,
              call.weights,
              call.weightsAt + (first + i) * call.inFeatures + column,
              call.inFeatures,
              n - i,
              call.inFeatures - column,
              corner);
        }
      }
    }
  }

  private void packGradient(int block, int from, int n, float[] a, Scratch scratch) {
    int rows = blocks.rows(block);
    int[] at = scratch.rows(rows);
    float[] gates = scratch.floats(GATES, rows);
    for (int row = 0; row < rows; row++) {
      int r = blocks.first(block) + row;
      at[row] = call.gradient.offset(r) + from;
      gates[row] = call.gradient.gate(r);
    }
    tiles.strips(call.gradient.data(), at, gates, rows, n, a);
    if (call.bias != null) {
      int first = call.biasAt + blocks.group(block) * call.outFeatures + from;
      int height = tiles.packedRows();
      float[] sums = scratch.floats(SUMS, tiles.pitch());
      for (int i = 0; i < n; i += height) {
        tiles.stripSums(a, i / height * tiles.pitch() * rows, rows, sums);
        elements.add(sums, 0, call.bias, first + i, Math.min(height, n - i));
      }
    }
  }
}
