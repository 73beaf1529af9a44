package moe.backend.cpu.kernel;

import java.util.Arrays;

/// The weights of some output features against the panels of a block of rows: read in place where
/// the block has few panels, and packed first where it has so many that it pays.
///
/// Either way a sum runs over inFeatures in order, so its bits are the same. The rows of a tile do
/// not lie together, but as far apart as there are tiles: from tile to tile each of them goes on
/// where it ended, and memory is fetched ahead along such long streams, not along single rows.
final class ChunkProduct {
  /// Sums must have room for a number of features that both kinds of tile divide.
  static final int HEIGHT_MULTIPLE = 24;

  /// Panels from which on weights are packed. Packing costs about as much as a panel, and saves a
  /// fifteenth to a quarter of each.
  static final int PANELS_TO_PACK = 8;

  private static final int WEIGHTS = 1;
  private static final int WIDENED = 3;

  private final TileKernels tiles;
  private final TileEdges edges;

  ChunkProduct(TileKernels tiles) {
    this.tiles = tiles;
    edges = new TileEdges(tiles);
  }

  /// Makes the copies of `n` rows of weights that the products with some panels need.
  ///
  /// @param first where the weights begin, within the call's weights
  /// @return whether to call `inPlace`, or else `packed`, for each panel
  boolean copies(LinearCall call, int first, int n, int steps, int panels, Scratch scratch) {
    if (panels >= PANELS_TO_PACK) {
      packed(call, first, n, steps, scratch);
      return false;
    }
    int from = inPlace(call, n);
    if (from < n) {
      float[] copy = scratch.floats(WEIGHTS, (n + HEIGHT_MULTIPLE) * steps);
      int k = call.inFeatures;
      copyRows(call, first + from * k, k, n - from, steps, copy);
      int end = Math.ceilDiv(n - from, tiles.rows()) * tiles.rows();
      Arrays.fill(copy, (n - from) * steps, end * steps, 0);
    }
    return true;
  }

  // Rows that can be read in place: none of bfloat16, and not a last tile that is not full.
  private int inPlace(LinearCall call, int n) {
    return call.shortWeights == null ? n - n % tiles.rows() : 0;
  }

  private void packed(LinearCall call, int first, int n, int steps, Scratch scratch) {
    int rows = tiles.packedRows();
    int tileFloats = steps * tiles.pitch();
    int whole = n / rows;
    float[] copy = scratch.floats(WEIGHTS, Math.ceilDiv(n, rows) * tileFloats);
    for (int i = 0; i < whole; i++) {
      int stride = whole * call.inFeatures;
      pack(call, first + i * call.inFeatures, stride, rows, steps, copy, i * tileFloats, scratch);
    }
    if (whole * rows < n) {
      int at = first + whole * rows * call.inFeatures;
      int height = n - whole * rows;
      pack(call, at, call.inFeatures, height, steps, copy, whole * tileFloats, scratch);
    }
  }

  private void pack(
      LinearCall call,
      int first,
      int stride,
      int height,
      int steps,
      float[] copy,
      int to,
      Scratch scratch) {
    if (call.shortWeights == null) {
      int from = call.weightsAt + first;
      edges.pack(call.weights, from, stride, height, steps, copy, to, scratch);
    } else {
      float[] widened = scratch.floats(WIDENED, tiles.packedRows() * steps);
      copyRows(call, first, stride, height, steps, widened);
      edges.pack(widened, 0, steps, height, steps, copy, to, scratch);
    }
  }

  private void copyRows(LinearCall call, int first, int stride, int n, int steps, float[] copy) {
    short[] halves = call.shortWeights;
    for (int i = 0; i < n; i++) {
      int at = call.weightsAt + first + i * stride;
      if (halves == null) {
        System.arraycopy(call.weights, at, copy, i * steps, steps);
      } else {
        tiles.widen(halves, at, copy, i * steps, steps);
      }
    }
  }

  /// The product with two panels, or twice the same one, the weights being read where they are.
  void inPlace(
      LinearCall call,
      int first,
      int n,
      int steps,
      float[] panels,
      int left,
      int right,
      float[] sums,
      int c,
      Scratch scratch) {
    int stride = 2 * tiles.lanes();
    int k = call.inFeatures;
    int from = inPlace(call, n);
    int apart = from / tiles.rows();
    for (int i = 0; i < apart; i++) {
      int a = call.weightsAt + first + i * k;
      int to = c + i * stride;
      tiles.tile(call.weights, a, apart * k, panels, left, right, steps, sums, to, apart * stride);
    }
    float[] copy = scratch.floats(WEIGHTS, 0);
    for (int i = from; i < n; i += tiles.rows()) {
      int a = (i - from) * steps;
      tiles.tile(copy, a, steps, panels, left, right, steps, sums, c + i * stride, stride);
    }
  }

  /// The product with two panels, or with one if `left` is `right`, the weights having been packed.
  void packed(
      int n, int steps, float[] panels, int left, int right, float[] sums, int c, Scratch scratch) {
    int stride = 2 * tiles.lanes();
    int rows = tiles.packedRows();
    int whole = n / rows;
    float[] copy = scratch.floats(WEIGHTS, 0);
    int a = 0;
    for (int i = 0; i < Math.ceilDiv(n, rows); i++, a += steps * tiles.pitch()) {
      int to = c + (i < whole ? i : whole * rows) * stride;
      int apart = i < whole ? whole * stride : stride;
      if (left == right) {
        tiles.packedHalf(copy, a, panels, left, steps, sums, to, apart);
      } else {
        tiles.packedTile(copy, a, panels, left, right, steps, sums, to, apart);
      }
    }
  }
}
