package moe.backend.cpu.kernel;

import java.util.Arrays;

/// Packed tiles that may hang over the edge of the result: what lies outside is computed and
/// dropped.
///
/// A and B must be packed with anything up to the full tile.
final class TileEdges {
  private final TileKernels tiles;

  TileEdges(TileKernels tiles) {
    this.tiles = tiles;
  }

  /// `TileKernels.packedTile` of which only `height` rows and `width` columns of C exist.
  ///
  /// @param corner scratch of at least `2 · packedRows() · lanes()` floats
  void tile(
      float[] a,
      int aOffset,
      float[] b,
      int left,
      int right,
      int steps,
      float[] c,
      int cOffset,
      int cStride,
      int height,
      int width,
      float[] corner) {
    int full = 2 * tiles.lanes();
    int rows = tiles.packedRows();
    if (height >= rows && width >= full) {
      tiles.packedTile(a, aOffset, b, left, right, steps, c, cOffset, cStride);
      return;
    }
    Arrays.fill(corner, 0, rows * full, 0);
    tiles.packedTile(a, aOffset, b, left, right, steps, corner, 0, full);
    for (int i = 0; i < Math.min(height, rows); i++) {
      for (int j = 0; j < Math.min(width, full); j++) {
        c[cOffset + i * cStride + j] += corner[i * full + j];
      }
    }
  }

  /// Packs rows for one tile: `a[aOffset + p·pitch() + i] = x[xOffset + i·xStride + p]`, for i from
  /// `height` on the last row again.
  void pack(
      float[] x,
      int xOffset,
      int xStride,
      int height,
      int steps,
      float[] a,
      int aOffset,
      Scratch scratch) {
    int[] rows = scratch.rows(tiles.pitch());
    int last = Math.min(height, tiles.packedRows()) - 1;
    for (int i = 0; i < tiles.pitch(); i++) {
      rows[i] = xOffset + Math.min(i, last) * xStride;
    }
    tiles.columns(x, rows, tiles.pitch(), steps, a, aOffset, tiles.pitch());
  }
}
