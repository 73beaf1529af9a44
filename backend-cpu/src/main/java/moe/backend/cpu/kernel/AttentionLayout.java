package moe.backend.cpu.kernel;

import java.util.Arrays;
import moe.spi.device.AttentionShape;

/// Where the rows of one head lie in `qkv [tokens, 3·dModel]` and in `out [tokens, dModel]`, and
/// the extents of the blocks that attention is computed in. Set per task, not allocated.
final class AttentionLayout {
  /// Queries of a block.
  static final int QUERIES = 32;

  /// Keys of a block: a multiple of `QUERIES`, so that the diagonal never leaves a query without a
  /// key.
  static final int KEYS = 64;

  /// Padding of a row of scores: a multiple of every vector length.
  static final int PAD = 16;

  int seqLength;
  int headSize;
  int dModel;
  int qkvStride;
  int query;
  int key;
  int value;
  int out;
  int statistics;

  /// Points at one head of one sequence.
  ///
  /// @param index `batch·heads + head`
  void set(AttentionShape shape, int index, int qkvAt, int outAt, int statisticsAt) {
    int batch = index / shape.heads();
    int head = index % shape.heads();
    seqLength = shape.seqLength();
    headSize = shape.headSize();
    dModel = shape.dModel();
    qkvStride = 3 * dModel;
    query = qkvAt + batch * seqLength * qkvStride + head * headSize;
    key = query + dModel;
    value = key + dModel;
    out = outAt + batch * seqLength * dModel + head * headSize;
    statistics = statisticsAt + index * seqLength;
  }

  static int padded(int n) {
    return Math.ceilDiv(n, PAD) * PAD;
  }

  /// Writes rows as columns: `to[d·KEYS + j] = from[j·stride + d]` for `j < rows`, 0 for the rest
  /// up to `padded(rows)`.
  static void transpose(
      float[] from, int at, int stride, int rows, int headSize, float[] to, int toAt) {
    // Row by row: the rows lie far apart, often a multiple of the cache's size, and would evict
    // each
    // other if they were read side by side.
    for (int j = 0; j < rows; j++) {
      int source = at + j * stride;
      for (int d = 0; d < headSize; d++) {
        to[toAt + d * KEYS + j] = from[source + d];
      }
    }
    int columns = padded(rows);
    for (int d = 0; d < headSize; d++) {
      Arrays.fill(to, toAt + d * KEYS + rows, toAt + d * KEYS + columns, 0f);
    }
  }
}
