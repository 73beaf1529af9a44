package moe.backend.cpu.kernel;

/// The forward of a group with few rows, decoding a token above all: each weight is read once, in
/// order, by dot products along inFeatures.
final class FewRowsForward {
  private static final int ROW = 0;
  // Weight rows that stay in the first cache while the rows of x pass.
  private static final int STRIP = 4;

  private final TileKernels tiles;
  private final ForwardStore store;

  FewRowsForward(TileKernels tiles, ForwardStore store) {
    this.tiles = tiles;
    this.store = store;
  }

  void run(LinearCall call, RowBlocks blocks, int block, int from, int n, Scratch scratch) {
    int rows = blocks.rows(block);
    float[] sums = scratch.floats(ROW, rows * n);
    int first = call.weightsAt + (blocks.group(block) * call.outFeatures + from) * call.inFeatures;
    int strip = rows == 1 ? n : STRIP;
    for (int i = 0; i < n; i += strip) {
      for (int r = 0; r < rows; r++) {
        int x = call.input.offset(blocks.first(block) + r);
        dots(call, x, first + i * call.inFeatures, Math.min(strip, n - i), sums, r * n + i);
      }
    }
    for (int r = 0; r < rows; r++) {
      store.row(call, blocks.group(block), blocks.first(block) + r, from, sums, r * n, n);
    }
  }

  private void dots(LinearCall call, int x, int w, int n, float[] y, int yOffset) {
    float[] rows = call.input.data();
    short[] halves = call.shortWeights;
    if (halves == null) {
      tiles.dots(rows, x, call.weights, w, n, call.inFeatures, y, yOffset);
    } else {
      tiles.dots(rows, x, halves, w, n, call.inFeatures, y, yOffset);
    }
  }
}
