package moe.backend.cpu.kernel;

import static moe.backend.cpu.kernel.Lanes.COUNT;
import static moe.backend.cpu.kernel.Lanes.F32;
import static moe.backend.cpu.kernel.Lanes.FMA;
import static moe.backend.cpu.kernel.TileKernels.MAX_STEPS;
import static moe.backend.cpu.kernel.VectorTileKernels.A_SCALE;
import static moe.backend.cpu.kernel.VectorTileKernels.B_SCALE;
import static moe.backend.cpu.kernel.VectorTileKernels.STEP;

import jdk.incubator.vector.FloatVector;

/// The tile of 6 × 2 vectors for 16 registers. It holds only because A is packed: with one address
/// for all 6 rows C2 loads each number where it is needed, with 6 addresses all at once, and
/// spills.
///
/// Nothing of ours is called: C2 stops inlining such calls once a method has grown to 18,000 nodes
/// (`NodeCountInliningCutoff`), and a vector that is passed to a call becomes an object in each
/// step. One variable counts all three arrays, so that a step needs no arithmetic for addresses.
final class VectorPackedTile6 {
  private VectorPackedTile6() {}

  /// `TileKernels.packedTile` for 6 rows.
  static void run(
      float[] a,
      int aOffset,
      float[] b,
      int left,
      int right,
      int steps,
      float[] c,
      int cOffset,
      int cStride) {
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
    int end = Math.min(STEP * steps, STEP * MAX_STEPS);
    for (int q = 0; q < end; q += STEP) {
      FloatVector b0 = FloatVector.fromArray(F32, b, left + q * B_SCALE);
      FloatVector b1 = FloatVector.fromArray(F32, b, right + q * B_SCALE);
      FloatVector v = FloatVector.broadcast(F32, a[aOffset + q * A_SCALE]);
      c00 = FMA ? v.fma(b0, c00) : v.mul(b0).add(c00);
      c01 = FMA ? v.fma(b1, c01) : v.mul(b1).add(c01);
      v = FloatVector.broadcast(F32, a[aOffset + q * A_SCALE + 1]);
      c10 = FMA ? v.fma(b0, c10) : v.mul(b0).add(c10);
      c11 = FMA ? v.fma(b1, c11) : v.mul(b1).add(c11);
      v = FloatVector.broadcast(F32, a[aOffset + q * A_SCALE + 2]);
      c20 = FMA ? v.fma(b0, c20) : v.mul(b0).add(c20);
      c21 = FMA ? v.fma(b1, c21) : v.mul(b1).add(c21);
      v = FloatVector.broadcast(F32, a[aOffset + q * A_SCALE + 3]);
      c30 = FMA ? v.fma(b0, c30) : v.mul(b0).add(c30);
      c31 = FMA ? v.fma(b1, c31) : v.mul(b1).add(c31);
      v = FloatVector.broadcast(F32, a[aOffset + q * A_SCALE + 4]);
      c40 = FMA ? v.fma(b0, c40) : v.mul(b0).add(c40);
      c41 = FMA ? v.fma(b1, c41) : v.mul(b1).add(c41);
      v = FloatVector.broadcast(F32, a[aOffset + q * A_SCALE + 5]);
      c50 = FMA ? v.fma(b0, c50) : v.mul(b0).add(c50);
      c51 = FMA ? v.fma(b1, c51) : v.mul(b1).add(c51);
    }
    int at = cOffset;
    c00.add(FloatVector.fromArray(F32, c, at)).intoArray(c, at);
    c01.add(FloatVector.fromArray(F32, c, at + COUNT)).intoArray(c, at + COUNT);
    at += cStride;
    c10.add(FloatVector.fromArray(F32, c, at)).intoArray(c, at);
    c11.add(FloatVector.fromArray(F32, c, at + COUNT)).intoArray(c, at + COUNT);
    at += cStride;
    c20.add(FloatVector.fromArray(F32, c, at)).intoArray(c, at);
    c21.add(FloatVector.fromArray(F32, c, at + COUNT)).intoArray(c, at + COUNT);
    at += cStride;
    c30.add(FloatVector.fromArray(F32, c, at)).intoArray(c, at);
    c31.add(FloatVector.fromArray(F32, c, at + COUNT)).intoArray(c, at + COUNT);
    at += cStride;
    c40.add(FloatVector.fromArray(F32, c, at)).intoArray(c, at);
    c41.add(FloatVector.fromArray(F32, c, at + COUNT)).intoArray(c, at + COUNT);
    at += cStride;
    c50.add(FloatVector.fromArray(F32, c, at)).intoArray(c, at);
    c51.add(FloatVector.fromArray(F32, c, at + COUNT)).intoArray(c, at + COUNT);
  }

  /// `TileKernels.packedHalf` for 6 rows.
  static void half(
      float[] a,
      int aOffset,
      float[] b,
      int bOffset,
      int steps,
      float[] c,
      int cOffset,
      int cStride) {
    FloatVector c0 = FloatVector.zero(F32);
    FloatVector c1 = c0;
    FloatVector c2 = c0;
    FloatVector c3 = c0;
    FloatVector c4 = c0;
    FloatVector c5 = c0;
    int end = Math.min(STEP * steps, STEP * MAX_STEPS);
    for (int q = 0; q < end; q += STEP) {
      FloatVector w = FloatVector.fromArray(F32, b, bOffset + q * B_SCALE);
      FloatVector v = FloatVector.broadcast(F32, a[aOffset + q * A_SCALE]);
      c0 = FMA ? v.fma(w, c0) : v.mul(w).add(c0);
      v = FloatVector.broadcast(F32, a[aOffset + q * A_SCALE + 1]);
      c1 = FMA ? v.fma(w, c1) : v.mul(w).add(c1);
      v = FloatVector.broadcast(F32, a[aOffset + q * A_SCALE + 2]);
      c2 = FMA ? v.fma(w, c2) : v.mul(w).add(c2);
      v = FloatVector.broadcast(F32, a[aOffset + q * A_SCALE + 3]);
      c3 = FMA ? v.fma(w, c3) : v.mul(w).add(c3);
      v = FloatVector.broadcast(F32, a[aOffset + q * A_SCALE + 4]);
      c4 = FMA ? v.fma(w, c4) : v.mul(w).add(c4);
      v = FloatVector.broadcast(F32, a[aOffset + q * A_SCALE + 5]);
      c5 = FMA ? v.fma(w, c5) : v.mul(w).add(c5);
    }
    int at = cOffset;
    c0.add(FloatVector.fromArray(F32, c, at)).intoArray(c, at);
    at += cStride;
    c1.add(FloatVector.fromArray(F32, c, at)).intoArray(c, at);
    at += cStride;
    c2.add(FloatVector.fromArray(F32, c, at)).intoArray(c, at);
    at += cStride;
    c3.add(FloatVector.fromArray(F32, c, at)).intoArray(c, at);
    at += cStride;
    c4.add(FloatVector.fromArray(F32, c, at)).intoArray(c, at);
    at += cStride;
    c5.add(FloatVector.fromArray(F32, c, at)).intoArray(c, at);
  }
}
