package moe.backend.cpu.kernel;

import java.util.Arrays;

/// Where the products of a block of panels begin and end: the sums, `[pair of
/// panels][features][2·lanes]`, start from the bias, and are turned into rows of the output.
final class PanelStore {
  private static final int ROWS = 2;

  private final TileKernels tiles;
  private final ActivationKernels elements;
  private final int lanes;

  PanelStore(TileKernels tiles, ActivationKernels elements) {
    this.tiles = tiles;
    this.elements = elements;
    lanes = tiles.lanes();
  }

  /// Sets the sums of a pair to the bias of its features, zero without one.
  ///
  /// @param from the first of `n` features, within all groups
  /// @param at where the pair begins
  /// @param length of the pair, at least `n` features
  void begin(LinearCall call, int from, int n, float[] sums, int at, int length) {
    if (call.bias == null) {
      Arrays.fill(sums, at, at + length, 0);
      return;
    }
    int to = at;
    for (int i = 0; i < n; i++, to += 2 * lanes) {
      Arrays.fill(sums, to, to + 2 * lanes, call.bias[call.biasAt + from + i]);
    }
    Arrays.fill(sums, to, at + length, 0);
  }

  /// Applies the activation to the sums of a pair and stores features `from` to `from + n − 1` of
  /// its rows.
  ///
  /// @param panel the first of the pair, within the block
  /// @param at where the pair begins
  /// @param length of the pair
  void end(
      LinearCall call,
      RowBlocks blocks,
      int block,
      int panel,
      int from,
      int n,
      float[] sums,
      int at,
      int length,
      Scratch scratch) {
    int rows = Math.min(2 * lanes, blocks.rows(block) - blocks.tail(block) - panel * lanes);
    int first = blocks.first(block) + panel * lanes;
    if (call.pre != null) {
      int to = call.preAt + first * call.preStride + from;
      store(sums, at, rows, n, call.pre, to, call.preStride, false, scratch);
    }
    elements.activate(call.activation, sums, at, sums, at, length);
    if (call.panelsOut) {
      int left = (blocks.place(block) + panel * lanes) * call.outFeatures + from * lanes;
      boolean both = rows > lanes;
      tiles.split(sums, at, n, both, call.output, call.outputAt + left, call.outFeatures * lanes);
      return;
    }
    int to = call.outputAt + first * call.outputStride + from;
    store(sums, at, rows, n, call.output, to, call.outputStride, call.accumulate, scratch);
  }

  private void store(
      float[] sums,
      int at,
      int rows,
      int n,
      float[] y,
      int yOffset,
      int yStride,
      boolean add,
      Scratch scratch) {
    int pitch = Math.ceilDiv(n, tiles.pitch()) * tiles.pitch();
    for (int row = 0; row < rows; row += lanes) {
      int to = yOffset + row * yStride;
      int height = Math.min(lanes, rows - row);
      if (height == lanes && n == pitch && !add) {
        columns(sums, at + row, n, y, to, yStride, scratch);
        continue;
      }
      float[] copy = scratch.floats(ROWS, lanes * pitch);
      columns(sums, at + row, n, copy, 0, pitch, scratch);
      for (int r = 0; r < height; r++) {
        if (add) {
          elements.add(copy, r * pitch, y, to + r * yStride, n);
        } else {
          System.arraycopy(copy, r * pitch, y, to + r * yStride, n);
        }
      }
    }
  }

  // Turns the sums of a panel into rows, some features at a time.
  private void columns(
      float[] sums, int from, int n, float[] y, int yOffset, int yStride, Scratch scratch) {
    int width = tiles.pitch();
    int[] rows = scratch.rows(width);
    for (int i = 0; i < n; i += width) {
      for (int j = 0; j < width; j++) {
        rows[j] = from + (i + j) * 2 * lanes;
      }
      tiles.columns(sums, rows, width, lanes, y, yOffset + i, yStride);
    }
  }
}
