package moe.backend.cpu.kernel;

/// Tiles that may hang over the edge of the result: what lies outside is computed and dropped.
///
/// A and B must be packed with zeros (or anything) up to the full tile.
final class TileEdges {
  private final TileKernels tiles;

  TileEdges(TileKernels tiles) {
    this.tiles = tiles;
  }

  /// `TileKernels.tile` of which only `height` rows and `width` columns of C exist.
  ///
  /// @param corner scratch of at least `rows() · lanes()` floats
  void tile(
      float[] a,
      int aOffset,
      int aStride,
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
    if (height >= tiles.rows() && width >= lanes) {
      tiles.tile(a, aOffset, aStride, b, bOffset, steps, c, cOffset, cStride, add);
      return;
    }
    tiles.tile(a, aOffset, aStride, b, bOffset, steps, corner, 0, lanes, false);
    for (int i = 0; i < Math.min(height, tiles.rows()); i++) {
      for (int j = 0; j < Math.min(width, lanes); j++) {
        int at = cOffset + i * cStride + j;
        float sum = corner[i * lanes + j];
        c[at] = add ? c[at] + sum : sum;
      }
    }
  }
}
