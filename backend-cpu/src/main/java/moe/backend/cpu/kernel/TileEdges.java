package moe.backend.cpu.kernel;

/// Packed tiles that may hang over the edge of the result: what lies outside is computed and
/// dropped.
///
/// A and B must be packed with zeros (or anything) up to the full tile.
final class TileEdges {
  private final TileKernels tiles;

  TileEdges(TileKernels tiles) {
    this.tiles = tiles;
  }

  /// `TileKernels.packedTile` of which only `height` rows and `width` columns of C exist.
  ///
  /// @param corner scratch of at least `packedRows() · lanes()` floats
  void tile(
      float[] a,
      int aOffset,
      float[] b,
      int bOffset,
      int steps,
      float[] c,
      int cOffset,
      int cStride,
      boolean add,
      int height,
      int width,
      float[] corner) {
    int lanes = tiles.lanes();
    int rows = tiles.packedRows();
    if (height >= rows && width >= lanes) {
      tiles.packedTile(a, aOffset, b, bOffset, steps, c, cOffset, cStride, add);
      return;
    }
    tiles.packedTile(a, aOffset, b, bOffset, steps, corner, 0, lanes, false);
    for (int i = 0; i < Math.min(height, rows); i++) {
      for (int j = 0; j < Math.min(width, lanes); j++) {
        int at = cOffset + i * cStride + j;
        float sum = corner[i * lanes + j];
        c[at] = add ? c[at] + sum : sum;
      }
    }
  }

  /// Packs rows for one tile: `a[p·packedRows() + i] = x[xOffset + i·xStride + p]`, zero for i from
  /// `height` on.
  void pack(float[] x, int xOffset, int xStride, int height, int steps, float[] a, int aOffset) {
    int rows = tiles.packedRows();
    if (rows == 6 && height >= 6) {
      packSix(x, xOffset, xStride, steps, a, aOffset);
      return;
    }
    for (int i = 0; i < rows; i++) {
      int row = xOffset + i * xStride;
      for (int p = 0; p < steps; p++) {
        a[aOffset + p * rows + i] = i < height ? x[row + p] : 0;
      }
    }
  }

  // Written out, because it is as long as a fifteenth of the product that follows.
  private static void packSix(float[] x, int x0, int xStride, int steps, float[] a, int aOffset) {
    int x1 = x0 + xStride;
    int x2 = x1 + xStride;
    int x3 = x2 + xStride;
    int x4 = x3 + xStride;
    int x5 = x4 + xStride;
    int to = aOffset;
    for (int p = 0; p < steps; p++, to += 6) {
      a[to] = x[x0 + p];
      a[to + 1] = x[x1 + p];
      a[to + 2] = x[x2 + p];
      a[to + 3] = x[x3 + p];
      a[to + 4] = x[x4 + p];
      a[to + 5] = x[x5 + p];
    }
  }
}
