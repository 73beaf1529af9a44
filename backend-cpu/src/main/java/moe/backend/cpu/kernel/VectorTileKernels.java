package moe.backend.cpu.kernel;

import static moe.backend.cpu.kernel.Lanes.COUNT;
import static moe.backend.cpu.kernel.Lanes.F32;

import java.util.Arrays;
import jdk.incubator.vector.FloatVector;

/// Tiles of 4 × 2 vectors in place, or 6 × 2 packed; both 8 × 2 where there are 32 registers.
///
/// Where rows have an address each, C2 loads all operands of a step before the first multiply-add,
/// so a tile must leave a register for each of them: rows + 2 + 2·rows ≤ 16 gives 4 rows.
final class VectorTileKernels implements TileKernels {
  /// What `pitch()` is.
  static final int PITCH = 8;

  /// A packed tile counts its steps in numbers of the smaller of the two operands' steps, so that
  /// one variable serves both: A has `A_SCALE` times as many numbers, a panel of B `B_SCALE` times.
  static final int STEP = Math.min(PITCH, COUNT);

  static final int A_SCALE = PITCH / STEP;
  static final int B_SCALE = COUNT / STEP;

  private static final boolean MANY_REGISTERS = Lanes.REGISTERS >= 32;
  private static final int ROWS = MANY_REGISTERS ? 8 : 4;
  private static final int PACKED_ROWS = MANY_REGISTERS ? 8 : 6;
  private static final boolean TRANSPOSES = COUNT >= VectorColumns.WIDTH && Lanes.FMA;

  @Override
  public int rows() {
    return ROWS;
  }

  @Override
  public int packedRows() {
    return PACKED_ROWS;
  }

  @Override
  public int pitch() {
    return PITCH;
  }

  @Override
  public int lanes() {
    return COUNT;
  }

  @Override
  public void tile(
      float[] a,
      int aOffset,
      int aStride,
      float[] b,
      int left,
      int right,
      int steps,
      float[] c,
      int cOffset,
      int cStride) {
    if (MANY_REGISTERS) {
      VectorTile8.run(a, aOffset, aStride, b, left, right, steps, c, cOffset, cStride);
    } else {
      VectorTile4.run(a, aOffset, aStride, b, left, right, steps, c, cOffset, cStride);
    }
  }

  @Override
  public void packedTile(
      float[] a,
      int aOffset,
      float[] b,
      int left,
      int right,
      int steps,
      float[] c,
      int cOffset,
      int cStride) {
    if (MANY_REGISTERS) {
      VectorPackedTile8.run(a, aOffset, b, left, right, steps, c, cOffset, cStride);
    } else {
      VectorPackedTile6.run(a, aOffset, b, left, right, steps, c, cOffset, cStride);
    }
  }

  @Override
  public void packedHalf(
      float[] a,
      int aOffset,
      float[] b,
      int bOffset,
      int steps,
      float[] c,
      int cOffset,
      int cStride) {
    if (MANY_REGISTERS) {
      VectorPackedTile8.half(a, aOffset, b, bOffset, steps, c, cOffset, cStride);
    } else {
      VectorPackedTile6.half(a, aOffset, b, bOffset, steps, c, cOffset, cStride);
    }
  }

  @Override
  public void columns(
      float[] x, int[] rows, int width, int steps, float[] y, int yOffset, int yPitch) {
    int done = 0;
    if (TRANSPOSES) {
      done = steps - steps % VectorColumns.WIDTH;
      for (int i = 0; i < width; i += VectorColumns.WIDTH) {
        VectorColumns.run(x, rows, i, done, y, yOffset + i, yPitch);
      }
    }
    for (int i = 0; i < width; i++) {
      for (int p = done; p < steps; p++) {
        y[yOffset + p * yPitch + i] = x[rows[i] + p];
      }
    }
  }

  @Override
  public void dots(
      float[] x,
      int xOffset,
      float[] w,
      int wOffset,
      int n,
      int k,
      float[] y,
      int yOffset,
      float[] sums) {
    VectorDots.run(x, xOffset, w, wOffset, n, k, y, yOffset, sums);
  }

  @Override
  public void dots(
      float[] x,
      int xOffset,
      short[] w,
      int wOffset,
      int n,
      int k,
      float[] y,
      int yOffset,
      float[] sums) {
    VectorBf16.dots(x, xOffset, w, wOffset, n, k, y, yOffset, sums);
  }

  @Override
  public void panels(
      float[] x,
      int xOffset,
      int xStride,
      int rows,
      int width,
      float[] b,
      int bOffset,
      int panelStride) {
    int whole = width / COUNT;
    int row = 0;
    int at = xOffset;
    for (; row <= rows - 4; row += 4, at += 4 * xStride) {
      fourRows(x, at, xStride, whole, b, bOffset + row * COUNT, panelStride);
    }
    for (; row < rows; row++, at += xStride) {
      int to = bOffset + row * COUNT;
      for (int i = 0; i < whole; i++, to += panelStride) {
        FloatVector.fromArray(F32, x, at + i * COUNT).intoArray(b, to);
      }
    }
    int rest = whole * COUNT;
    for (int i = 0; rest < width && i < rows; i++) {
      int to = bOffset + whole * panelStride + i * COUNT;
      Arrays.fill(b, to, to + COUNT, 0);
      System.arraycopy(x, xOffset + i * xStride + rest, b, to, width - rest);
    }
  }

  // Of one row a panel gets half a line at a time, and memory is waited for row by row: four rows
  // at once are twice as fast.
  private static void fourRows(
      float[] x, int x0, int stride, int count, float[] b, int bOffset, int panelStride) {
    int x1 = x0 + stride;
    int x2 = x1 + stride;
    int x3 = x2 + stride;
    int to = bOffset;
    for (int i = 0; i < count * COUNT; i += COUNT, to += panelStride) {
      FloatVector v0 = FloatVector.fromArray(F32, x, x0 + i);
      FloatVector v1 = FloatVector.fromArray(F32, x, x1 + i);
      FloatVector v2 = FloatVector.fromArray(F32, x, x2 + i);
      FloatVector v3 = FloatVector.fromArray(F32, x, x3 + i);
      v0.intoArray(b, to);
      v1.intoArray(b, to + COUNT);
      v2.intoArray(b, to + 2 * COUNT);
      v3.intoArray(b, to + 3 * COUNT);
    }
  }

  @Override
  public void strips(float[] x, int[] at, float[] factors, int rows, int width, float[] a) {
    VectorStrips.run(x, at, factors, rows, width, PACKED_ROWS, a);
  }

  @Override
  public void stripSums(float[] a, int aOffset, int rows, float[] sums) {
    VectorStrips.sums(a, aOffset, rows, sums);
  }

  @Override
  public void split(
      float[] sums, int at, int n, boolean both, float[] y, int yOffset, int panelStride) {
    for (int i = 0; i < n; i++) {
      FloatVector.fromArray(F32, sums, at + i * 2 * COUNT).intoArray(y, yOffset + i * COUNT);
    }
    if (both) {
      int second = yOffset + panelStride;
      for (int i = 0; i < n; i++) {
        int from = at + i * 2 * COUNT + COUNT;
        FloatVector.fromArray(F32, sums, from).intoArray(y, second + i * COUNT);
      }
    }
  }

  @Override
  public void pairs(float[] x, int xOffset, int k, float[] y, int yOffset) {
    VectorBf16.pairs(x, xOffset, k, y, yOffset);
  }

  @Override
  public void widen(short[] w, int wOffset, float[] y, int yOffset, int n) {
    VectorBf16.widen(w, wOffset, y, yOffset, n);
  }
}
