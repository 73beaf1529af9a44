package moe.backend.opencl.kernel;

/// The launches of `tiles.cl`.
final class Tiles {
  /// Rows and columns of a tile.
  static final int SIZE = 64;

  /// Work-items of a group, both ways.
  private static final int SIDE = 16;

  private Tiles() {}

  /// A group for each tile of `columns` columns in each of `blocks` blocks.
  static void launch(ClKernel kernel, WorkQueue queue, int columns, long blocks) {
    kernel.launch(queue, (long) Math.ceilDiv(columns, SIZE) * SIDE, blocks * SIDE, SIDE, SIDE);
  }
}
