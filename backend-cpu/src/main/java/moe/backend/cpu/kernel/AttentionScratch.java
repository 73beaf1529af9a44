package moe.backend.cpu.kernel;

import java.util.Arrays;

/// What one thread needs to work on one head: places in one scratch array.
final class AttentionScratch {
  static final int KEYS = AttentionLayout.KEYS;
  static final int QUERIES = AttentionLayout.QUERIES;

  /// Rows that are multiplied together: those of a tile of `VectorBlockProduct`.
  private static final int GROUP = 4;

  final AttentionLayout layout = new AttentionLayout();
  final BlockProduct.Block block = new BlockProduct.Block();

  float[] floats = {};

  /// A block of keys as columns `[headSize, KEYS]`.
  final int keys = 0;

  /// A block of values as columns `[headSize, KEYS]`.
  int values;

  /// A block of queries times the scale `[QUERIES, headSize]`.
  int queries;

  /// Scores or probabilities `[QUERIES, KEYS]`.
  int scores;

  /// Gradients of the probabilities `[QUERIES, KEYS]`.
  int dScores;

  /// One number per position `[seqLength]`: the largest score so far, or `⟨dOut, out⟩` in backward.
  int rowMax;

  /// The sum of exponentials so far `[seqLength]`.
  int rowSum;

  private int headSize;

  /// Makes room for a head.
  void fit(Scratch scratch, int headSize, int seqLength) {
    this.headSize = headSize;
    values = keys + headSize * KEYS;
    queries = values + headSize * KEYS;
    scores = queries + QUERIES * headSize;
    dScores = scores + QUERIES * KEYS;
    rowMax = dScores + QUERIES * KEYS;
    rowSum = rowMax + seqLength;
    floats = scratch.floats(0, rowSum + seqLength);
  }

  /// Copies `n` queries from position `query` on, times the scale; position 0 is at `from`.
  void scaleQueries(RowKernels kernels, float[] qkv, int from, int query, int n, float scale) {
    for (int i = 0; i < n; i++) {
      int at = from + (query + i) * layout.qkvStride;
      kernels.scale(scale, qkv, at, floats, queries + i * headSize, headSize);
    }
  }

  /// `to [n, keys] = rows [n, headSize]·columns [headSize, keys]`.
  void multiply(
      BlockProduct product,
      float[] rows,
      int rowsAt,
      int stride,
      int columns,
      int n,
      int keys,
      int to) {
    int width = AttentionLayout.padded(keys);
    for (int i = 0; i < n; i++) {
      Arrays.fill(floats, to + i * KEYS, to + i * KEYS + width, 0f);
    }
    block.a(rows, rowsAt, stride, 1).b(floats, columns, KEYS).c(floats, to, KEYS);
    product.accumulate(block, n, width, headSize);
  }

  /// Hides the keys from `visible` on in row `i` of the scores.
  ///
  /// @return how many scores to exponentiate: `visible` and some that become 0, so that no tail is
  ///   left over
  int mask(int i, int visible, int keys) {
    int row = scores + i * KEYS;
    int padded = AttentionLayout.padded(visible);
    Arrays.fill(floats, row + visible, row + padded, Float.NEGATIVE_INFINITY);
    Arrays.fill(
        floats, row + padded, Math.max(row + padded, row + AttentionLayout.padded(keys)), 0f);
    return padded;
  }

  /// The product in `block` where row `i` of `A` ends after `visible + i` columns: a hidden weight
  /// is 0, and 0 times a value of NaN would not be.
  void accumulateVisible(BlockProduct product, int rows, int visible) {
    for (int row = 0; row < rows; row += GROUP) {
      int group = Math.min(GROUP, rows - row);
      block.move(row, 0);
      product.accumulate(block, group, headSize, visible + row);
      block.move(0, visible + row);
      for (int i = 1; i < group; i++) {
        block.move(i, 0);
        product.accumulate(block, 1, headSize, i);
        block.move(-i, 0);
      }
      block.move(-row, -visible - row);
    }
  }
}
