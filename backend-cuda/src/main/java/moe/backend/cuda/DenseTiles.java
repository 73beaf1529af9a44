package moe.backend.cuda;

/// How many rows a tile of a dense product has on compute capability 9.0. Unlike those of experts,
/// its rows are counted before it starts, so that its tiles can be made to fill the
/// multiprocessors: 1024 rows by 2304 outputs are 72 items in tiles of 128, two rounds of 66 pairs
/// of multiprocessors, but 63 in tiles of 160.
///
/// Times are those of an H200 (`bench/results/2026-11-24-h200-peers.md`); only their ratios matter.
final class DenseTiles {
  private static final int STEP = 32; // widths that kernels have
  private static final int MOST = 256;
  private static final int NARROW = 128; // the most of a kernel that deals tiles out
  private static final int STAGE = 64; // of K
  private static final double PRODUCT = 2.74; // ns a row of a stage of 128 outputs
  private static final double WEIGHT_BYTES = 128 * STAGE * 2;
  private static final double ROW_BYTES = STAGE; // half of a row, the other block fetches the rest
  private static final double LEVEL_2 = 8500; // bytes a ns, all multiprocessors together
  private static final double LEVEL_2_EACH = 110;
  private static final double ITEM = 600; // ns to begin and end
  private static final double STORE = 5; // ns a row of it
  private static final double DRAW = 1500; // ns more for a kernel whose blocks draw their tiles

  private DenseTiles() {}

  /// The rows of a tile that take the least time, a multiple of 32 up to 256. In many rounds the
  /// largest tiles are best, because a part of a round weighs little and each of its rows least.
  static int rows(int multiprocessors, int rows, int in, int out) {
    if ((long) Math.ceilDiv(rows, MOST) * Math.ceilDiv(out, 256) > multiprocessors) {
      return MOST;
    }
    int best = STEP;
    double least = Double.POSITIVE_INFINITY;
    for (int tile = STEP; tile <= MOST; tile += STEP) {
      double time = time(multiprocessors, rows, in, out, tile);
      if (time < least) {
        least = time;
        best = tile;
      }
    }
    return best;
  }

  /// ns, without what all have in common.
  private static double time(int multiprocessors, int rows, int in, int out, int tile) {
    int pairs = multiprocessors / 2;
    int tiles = Math.max(1, Math.ceilDiv(rows, tile));
    int width = Math.ceilDiv(Math.ceilDiv(rows, tiles), STEP) * STEP; // as `Tiles::at` evens them
    long items = (long) tiles * Math.ceilDiv(out, 256);
    long rounds = Math.ceilDiv(items, pairs);
    double share = Math.min(LEVEL_2_EACH, LEVEL_2 / (2.0 * Math.min(items, pairs)));
    double stage = Math.max(PRODUCT * width, (WEIGHT_BYTES + ROW_BYTES * width) / share);
    double item = Math.ceilDiv(in, STAGE) * stage + ITEM + STORE * width;
    return rounds * item + (tile > NARROW ? DRAW : 0);
  }
}
