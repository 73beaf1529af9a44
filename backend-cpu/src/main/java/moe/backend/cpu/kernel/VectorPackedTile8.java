package moe.backend.cpu.kernel;

import static moe.backend.cpu.kernel.Lanes.COUNT;
import static moe.backend.cpu.kernel.Lanes.F32;
import static moe.backend.cpu.kernel.Lanes.multiplyAdd;
import static moe.backend.cpu.kernel.TileKernels.MAX_STEPS;
import static moe.backend.cpu.kernel.VectorTileKernels.store;

import jdk.incubator.vector.FloatVector;

/// The packed tile of 8 × 2 vectors for machines with 32 registers.
final class VectorPackedTile8 {
  private static final int LANES = 2 * COUNT;

  private VectorPackedTile8() {}

  /// `TileKernels.packedTile` for 8 rows.
  static void run(
      float[] a,
      int aOffset,
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
    FloatVector c40 = c00;
    FloatVector c41 = c00;
    FloatVector c50 = c00;
    FloatVector c51 = c00;
    FloatVector c60 = c00;
    FloatVector c61 = c00;
    FloatVector c70 = c00;
    FloatVector c71 = c00;
    int count = Math.min(steps, MAX_STEPS);
    for (int p = 0; p < count; p++) {
      FloatVector b0 = FloatVector.fromArray(F32, b, bOffset + p * LANES);
      FloatVector b1 = FloatVector.fromArray(F32, b, bOffset + p * LANES + COUNT);
      FloatVector v = FloatVector.broadcast(F32, a[aOffset + p * 8]);
      c00 = multiplyAdd(v, b0, c00);
      c01 = multiplyAdd(v, b1, c01);
      v = FloatVector.broadcast(F32, a[aOffset + p * 8 + 1]);
      c10 = multiplyAdd(v, b0, c10);
      c11 = multiplyAdd(v, b1, c11);
      v = FloatVector.broadcast(F32, a[aOffset + p * 8 + 2]);
      c20 = multiplyAdd(v, b0, c20);
      c21 = multiplyAdd(v, b1, c21);
      v = FloatVector.broadcast(F32, a[aOffset + p * 8 + 3]);
      c30 = multiplyAdd(v, b0, c30);
      c31 = multiplyAdd(v, b1, c31);
      v = FloatVector.broadcast(F32, a[aOffset + p * 8 + 4]);
      c40 = multiplyAdd(v, b0, c40);
      c41 = multiplyAdd(v, b1, c41);
      v = FloatVector.broadcast(F32, a[aOffset + p * 8 + 5]);
      c50 = multiplyAdd(v, b0, c50);
      c51 = multiplyAdd(v, b1, c51);
      v = FloatVector.broadcast(F32, a[aOffset + p * 8 + 6]);
      c60 = multiplyAdd(v, b0, c60);
      c61 = multiplyAdd(v, b1, c61);
      v = FloatVector.broadcast(F32, a[aOffset + p * 8 + 7]);
      c70 = multiplyAdd(v, b0, c70);
      c71 = multiplyAdd(v, b1, c71);
    }
    store(c00, c01, c, cOffset, add);
    store(c10, c11, c, cOffset + cStride, add);
    store(c20, c21, c, cOffset + 2 * cStride, add);
    store(c30, c31, c, cOffset + 3 * cStride, add);
    store(c40, c41, c, cOffset + 4 * cStride, add);
    store(c50, c51, c, cOffset + 5 * cStride, add);
    store(c60, c61, c, cOffset + 6 * cStride, add);
    store(c70, c71, c, cOffset + 7 * cStride, add);
  }
}
