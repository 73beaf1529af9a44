package moe.backend.opencl.kernel;

/// The launches of `tiles.cl`, and the tiles' size as it is there.
final class Tiles {
  static final int ROWS = 64;
  private static final int COLUMNS = 128;

  /// Work-items of a group, both ways.
  private static final int SIDE = 16;

  private Tiles() {}

  /// A group for each tile of `columns` columns in each of `blocks` blocks.
  static void launch(ClKernel kernel, WorkQueue queue, int columns, long blocks) {
    kernel.launch(queue, (long) Math.ceilDiv(columns, COLUMNS) * SIDE, blocks * SIDE, SIDE, SIDE);
  }
}
