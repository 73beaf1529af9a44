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

  /// Sets the sums of each of `pairs` pairs to the bias of its features, zero without one.
  ///
  /// @param from the first of `n` features, within all groups
  /// @param perPair floats from one pair to the next
  void begin(LinearCall call, int from, int n, float[] sums, int pairs, int perPair) {
    if (call.bias == null) {
      Arrays.fill(sums, 0, pairs * perPair, 0);
      return;
    }
    for (int i = 0; i < n; i++) {
      int at = i * 2 * lanes;
      Arrays.fill(sums, at, at + 2 * lanes, call.bias[call.biasAt + from + i]);
    }
    Arrays.fill(sums, n * 2 * lanes, perPair, 0);
    for (int pair = 1; pair < pairs; pair++) {
      System.arraycopy(sums, 0, sums, pair * perPair, perPair);
    }
  }

  /// Applies the activation to all sums and stores features `from` to `from + n − 1` of some rows.
  ///
  /// @param first the first of `rows` rows
  void end(
      LinearCall call,
      int first,
      int rows,
      int from,
      int n,
      float[] sums,
      int perPair,
      Scratch scratch) {
    if (call.pre != null) {
      int at = call.preAt + first * call.preStride + from;
      store(sums, perPair, rows, n, call.pre, at, call.preStride, false, scratch);
    }
    int length = Math.ceilDiv(rows, 2 * lanes) * perPair;
    elements.activate(call.activation, sums, 0, sums, 0, length);
    int at = call.outputAt + first * call.outputStride + from;
    store(sums, perPair, rows, n, call.output, at, call.outputStride, call.accumulate, scratch);
  }

  private void store(
      float[] sums,
      int perPair,
      int rows,
      int n,
      float[] y,
      int yOffset,
      int yStride,
      boolean add,
      Scratch scratch) {
    int pitch = Math.ceilDiv(n, tiles.pitch()) * tiles.pitch();
    for (int row = 0; row < rows; row += lanes) {
      int from = row / lanes / 2 * perPair + row / lanes % 2 * lanes;
      int to = yOffset + row * yStride;
      int height = Math.min(lanes, rows - row);
      if (height == lanes && n == pitch && !add) {
        columns(sums, from, n, y, to, yStride, scratch);
        continue;
      }
      float[] copy = scratch.floats(ROWS, lanes * pitch);
      columns(sums, from, n, copy, 0, pitch, scratch);
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
    for (int i = 0; i < n; i += width) {
      for (int j = 0; j < width; j++) {
        scratch.rows[j] = from + (i + j) * 2 * lanes;
      }
      tiles.columns(sums, scratch.rows, width, lanes, y, yOffset + i, yStride);
    }
  }
}
