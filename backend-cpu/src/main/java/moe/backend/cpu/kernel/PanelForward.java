package moe.backend.cpu.kernel;

/// How `GroupedForward` computes: rows in panels, or row by row where a group has few or some are
/// left over.
///
/// Panels: first all threads write the rows of x transposed, `[panel][inFeatures][lanes]`, which
/// also does the gather. Then a task is a block of up to 48 panels times a chunk of output
/// features: the weights are read one number at a time against all lanes of two panels, and the
/// sums `[pair of panels][outFeatures][2·lanes]` are turned into rows as bias and activation are
/// applied.
final class PanelForward {
  private static final int PANELS_PER_BLOCK = 48;
  private static final int STEPS = 768;
  private static final int CHUNK = 96;
  private static final int SMALL_CHUNK = 24;
  // Floats of packed rows in memory at once, 32 MiB.
  private static final int WAVE = 1 << 23;

  private static final int SUMS = 0;

  private final CpuThreads threads;
  private final TileKernels tiles;
  private final ChunkProduct product;
  private final FewRowsForward fewRows;
  private final PanelStore store;
  private final RowBlocks blocks;
  private final int lanes;
  private final CpuThreads.Job pack = this::pack;
  private final CpuThreads.Job multiply = this::multiply;

  private LinearCall call = new LinearCall();
  private Floats packed = Floats.NONE;
  private int waveStart;
  private int chunk;
  private int chunks;

  PanelForward(CpuThreads threads, TileKernels tiles, ActivationKernels elements) {
    this.threads = threads;
    this.tiles = tiles;
    product = new ChunkProduct(tiles);
    lanes = tiles.lanes();
    store = new PanelStore(tiles, elements);
    int mostOfTail = lanes + lanes / 2;
    fewRows = new FewRowsForward(tiles, new ForwardStore(elements), mostOfTail);
    int tailsBelow = ChunkProduct.PANELS_TO_PACK * lanes;
    blocks = new RowBlocks(PANELS_PER_BLOCK * lanes, lanes, mostOfTail, tailsBelow);
  }

  void run(LinearCall call, Ints offsets) {
    this.call = call;
    blocks.cut(offsets, call.groups);
    int panelFloats = Math.multiplyExact(lanes, call.inFeatures);
    chooseChunk();
    for (int start = 0; start < blocks.size(); ) {
      int end = call.panelsIn ? blocks.size() : blocks.wave(start, WAVE / panelFloats);
      waveStart = start;
      int panels = blocks.panelsBefore(end) - blocks.panelsBefore(start);
      fewRows.prepare(call, blocks, start, end);
      boolean packs = panels > 0 && !call.panelsIn;
      packed = threads.arrays().borrow(packs ? panels * panelFloats : 0);
      try {
        if (packs) {
          threads.run((end - start) * PANELS_PER_BLOCK, pack);
        }
        threads.run((end - start) * chunks, multiply);
      } finally {
        threads.arrays().giveBack(packed);
      }
      start = end;
    }
  }

  // Fewer features to a task where there would be too few tasks; results do not depend on it.
  private void chooseChunk() {
    int tasks = blocks.size() * Math.ceilDiv(call.outFeatures, CHUNK);
    chunk = tasks >= 4 * threads.size() ? CHUNK : SMALL_CHUNK;
    chunks = Math.ceilDiv(call.outFeatures, chunk);
  }

  int panelRows() {
    return blocks.place(blocks.size());
  }

  // Where a block begins in the packed rows.
  private int base(int block) {
    if (call.panelsIn) {
      return call.input.offset(blocks.place(block));
    }
    int panels = blocks.panelsBefore(block) - blocks.panelsBefore(waveStart);
    return panels * lanes * call.inFeatures;
  }

  private void pack(int index) {
    int block = waveStart + index / PANELS_PER_BLOCK;
    int panel = index % PANELS_PER_BLOCK;
    if (panel >= blocks.panels(block)) {
      return;
    }
    int last = Math.min(lanes, blocks.rows(block) - panel * lanes) - 1;
    int first = blocks.first(block) + panel * lanes;
    int[] rows = threads.scratch().rows(lanes);
    for (int lane = 0; lane < lanes; lane++) {
      rows[lane] = call.input.offset(first + Math.min(lane, last));
    }
    int to = base(block) + panel * lanes * call.inFeatures;
    tiles.columns(call.input.data(), rows, lanes, call.inFeatures, packed.array(), to, lanes);
  }

  private void multiply(int index) {
    int block = waveStart + index / chunks;
    int from = index % chunks * chunk;
    int n = Math.min(chunk, call.outFeatures - from);
    Scratch scratch = threads.scratch();
    if (blocks.panels(block) > 0) {
      multiplyPanels(block, from, n, scratch);
    }
    if (blocks.tail(block) > 0) {
      fewRows.run(call, blocks, waveStart, block, from, n, scratch);
    }
  }

  private void multiplyPanels(int block, int from, int n, Scratch scratch) {
    int panels = blocks.panels(block);
    int sumsPerPair =
        ChunkProduct.HEIGHT_MULTIPLE
            * Math.ceilDiv(chunk, ChunkProduct.HEIGHT_MULTIPLE)
            * 2
            * lanes;
    // With one block of inFeatures a pair is done as soon as it is begun, and stays in the cache.
    int perPair = call.inFeatures <= STEPS ? 0 : sumsPerPair;
    float[] sums = scratch.floats(SUMS, sumsPerPair + perPair * (Math.ceilDiv(panels, 2) - 1));
    int feature = blocks.group(block) * call.outFeatures + from;
    int panelFloats = call.inFeatures * lanes;
    float[] rows = call.panelsIn ? call.input.data() : packed.array();
    for (int step = 0; step < call.inFeatures; step += STEPS) {
      int steps = Math.min(STEPS, call.inFeatures - step);
      int first = feature * call.inFeatures + step;
      boolean inPlace = product.copies(call, first, n, steps, panels, scratch);
      for (int panel = 0; panel < panels; panel += 2) {
        int left = base(block) + panel * panelFloats + step * lanes;
        int right = panel + 1 < panels ? left + panelFloats : left;
        int c = panel / 2 * perPair;
        if (step == 0) {
          store.begin(call, feature, n, sums, c, sumsPerPair);
        }
        if (inPlace) {
          product.inPlace(call, first, n, steps, rows, left, right, sums, c, scratch);
        } else {
          product.packed(n, steps, rows, left, right, sums, c, scratch);
        }
        if (step + steps == call.inFeatures) {
          store.end(call, blocks, block, panel, from, n, sums, c, sumsPerPair, scratch);
        }
      }
    }
  }
}
