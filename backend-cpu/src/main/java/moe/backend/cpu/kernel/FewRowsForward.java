package moe.backend.cpu.kernel;

/// The forward of few rows, decoding a token above all: each weight is read once, in order, by dot
/// products along inFeatures.
final class FewRowsForward {
  private static final int ROW = 0;
  private static final int LANES = 1;
  // Weight rows that stay in the nearer caches while the rows of x pass. A dot product takes four
  // at a time, from four quarters of the strip.
  private static final int STRIP = 16;

  private final TileKernels tiles;
  private final ForwardStore store;
  private final int most;
  private float[] paired = LinearCall.NO_FLOATS;

  /// @param most the most rows of a tail
  FewRowsForward(TileKernels tiles, ForwardStore store, int most) {
    this.tiles = tiles;
    this.store = store;
    this.most = most;
  }

  /// Brings the rows of some blocks into the order that products with bfloat16 weights need.
  void prepare(LinearCall call, RowBlocks blocks, int start, int end) {
    if (call.shortWeights == null) {
      return;
    }
    int length = Math.multiplyExact((end - start) * most, call.inFeatures);
    if (paired.length < length) {
      paired = new float[length];
    }
    for (int block = start; block < end; block++) {
      for (int r = 0; r < blocks.tail(block); r++) {
        int x = call.input.offset(input(call, blocks, block, r));
        int to = ((block - start) * most + r) * call.inFeatures;
        tiles.pairs(call.input.data(), x, call.inFeatures, paired, to);
      }
    }
  }

  /// Computes features `from` to `from + n − 1` of the tail of a block.
  ///
  /// @param start of the blocks that `prepare` prepared
  void run(
      LinearCall call, RowBlocks blocks, int start, int block, int from, int n, Scratch scratch) {
    int rows = blocks.tail(block);
    int k = call.inFeatures;
    float[] sums = scratch.floats(ROW, rows * n);
    float[] lanes = scratch.floats(LANES, TileKernels.DOT_SUMS * tiles.lanes());
    int w = call.weightsAt + (blocks.group(block) * call.outFeatures + from) * k;
    int strip = rows == 1 ? n : STRIP;
    for (int i = 0; i < n; i += strip) {
      int height = Math.min(strip, n - i);
      for (int r = 0; r < rows; r++) {
        int y = r * n + i;
        short[] halves = call.shortWeights;
        if (halves == null) {
          int x = call.input.offset(input(call, blocks, block, r));
          tiles.dots(call.input.data(), x, call.weights, w + i * k, height, k, sums, y, lanes);
        } else {
          int x = ((block - start) * most + r) * k;
          tiles.dots(paired, x, halves, w + i * k, height, k, sums, y, lanes);
        }
      }
    }
    for (int r = 0; r < rows; r++) {
      int to = call.panelsOut ? blocks.placeOfTail(block, r) : row(blocks, block, r);
      store.row(call, blocks.group(block), to, from, sums, r * n, n);
    }
  }

  private static int input(LinearCall call, RowBlocks blocks, int block, int r) {
    return call.panelsIn ? blocks.placeOfTail(block, r) : row(blocks, block, r);
  }

  private static int row(RowBlocks blocks, int block, int r) {
    return blocks.first(block) + blocks.rows(block) - blocks.tail(block) + r;
  }
}
