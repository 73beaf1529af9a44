package moe.backend.cpu.kernel;

import static moe.backend.cpu.kernel.Lanes.COUNT;
import static moe.backend.cpu.kernel.Lanes.F32;
import static moe.backend.cpu.kernel.Lanes.multiplyAdd;

import java.util.Arrays;
import jdk.incubator.vector.FloatVector;

/// Tiles of 4 × 2 vectors, or 6 × 2 packed; both 8 × 2 where there are 32 registers.
///
/// Where rows have an address each, C2 loads all operands of a step before the first multiply-add,
/// so a tile must leave a register for each of them: rows + 2 + 2·rows ≤ 16 gives 4 rows.
final class VectorTileKernels implements TileKernels {
  private static final boolean MANY_REGISTERS = Lanes.REGISTERS >= 32;
  private static final int ROWS = MANY_REGISTERS ? 8 : 4;
  private static final int PACKED_ROWS = MANY_REGISTERS ? 8 : 6;
  private static final int LANES = 2 * COUNT;

  @Override
  public int rows() {
    return ROWS;
  }

  @Override
  public int packedRows() {
    return PACKED_ROWS;
  }

  @Override
  public int lanes() {
    return LANES;
  }

  @Override
  public void tile(
      float[] a,
      int aOffset,
      int aStride,
      float[] b,
      int bOffset,
      int steps,
      float[] c,
      int cOffset,
      int cStride,
      boolean add) {
    if (MANY_REGISTERS) {
      VectorTile8.run(a, aOffset, aStride, b, bOffset, steps, c, cOffset, cStride, add);
    } else {
      tile4(a, aOffset, aStride, b, bOffset, steps, c, cOffset, cStride, add);
    }
  }

  @Override
  public void packedTile(
      float[] a,
      int aOffset,
      float[] b,
      int bOffset,
      int steps,
      float[] c,
      int cOffset,
      int cStride,
      boolean add) {
    if (MANY_REGISTERS) {
      VectorPackedTile8.run(a, aOffset, b, bOffset, steps, c, cOffset, cStride, add);
    } else {
      VectorPackedTile6.run(a, aOffset, b, bOffset, steps, c, cOffset, cStride, add);
    }
  }

  private static void tile4(
      float[] a,
      int a0,
      int aStride,
      float[] b,
      int bOffset,
      int steps,
      float[] c,
      int cOffset,
      int cStride,
      boolean add) {
    FloatVector c00 = FloatVector.zero(F32);
    FloatVector c01 = c00;
    FloatVector c10 = c00;
    FloatVector c11 = c00;
    FloatVector c20 = c00;
    FloatVector c21 = c00;
    FloatVector c30 = c00;
    FloatVector c31 = c00;
    int a1 = a0 + aStride;
    int a2 = a1 + aStride;
    int a3 = a2 + aStride;
    // No strip mining with a bound that C2 can see: it needs the registers of these addresses.
    int count = Math.min(steps, MAX_STEPS);
    for (int p = 0; p < count; p++) {
      FloatVector b0 = FloatVector.fromArray(F32, b, bOffset + p * LANES);
      FloatVector b1 = FloatVector.fromArray(F32, b, bOffset + p * LANES + COUNT);
      FloatVector v = FloatVector.broadcast(F32, a[a0 + p]);
      c00 = multiplyAdd(v, b0, c00);
      c01 = multiplyAdd(v, b1, c01);
      v = FloatVector.broadcast(F32, a[a1 + p]);
      c10 = multiplyAdd(v, b0, c10);
      c11 = multiplyAdd(v, b1, c11);
      v = FloatVector.broadcast(F32, a[a2 + p]);
      c20 = multiplyAdd(v, b0, c20);
      c21 = multiplyAdd(v, b1, c21);
      v = FloatVector.broadcast(F32, a[a3 + p]);
      c30 = multiplyAdd(v, b0, c30);
      c31 = multiplyAdd(v, b1, c31);
    }
    store(c00, c01, c, cOffset, add);
    store(c10, c11, c, cOffset + cStride, add);
    store(c20, c21, c, cOffset + 2 * cStride, add);
    store(c30, c31, c, cOffset + 3 * cStride, add);
  }

  static void store(FloatVector left, FloatVector right, float[] c, int offset, boolean add) {
    if (add) {
      left = left.add(FloatVector.fromArray(F32, c, offset));
      right = right.add(FloatVector.fromArray(F32, c, offset + COUNT));
    }
    left.intoArray(c, offset);
    right.intoArray(c, offset + COUNT);
  }

  @Override
  public void dots(
      float[] x, int xOffset, float[] w, int wOffset, int n, int k, float[] y, int yOffset) {
    VectorDots.run(x, xOffset, w, wOffset, n, k, y, yOffset);
  }

  @Override
  public void dots(
      float[] x, int xOffset, short[] w, int wOffset, int n, int k, float[] y, int yOffset) {
    VectorBf16.dots(x, xOffset, w, wOffset, n, k, y, yOffset);
  }

  @Override
  public void panels(float[] x, int xOffset, int width, float[] b, int bOffset, int panelStride) {
    int i = 0;
    int to = bOffset;
    for (; i + LANES <= width; i += LANES, to += panelStride) {
      FloatVector.fromArray(F32, x, xOffset + i).intoArray(b, to);
      FloatVector.fromArray(F32, x, xOffset + i + COUNT).intoArray(b, to + COUNT);
    }
    if (i < width) {
      Arrays.fill(b, to, to + LANES, 0);
      System.arraycopy(x, xOffset + i, b, to, width - i);
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
