package moe.backend.cpu.kernel;

import static moe.backend.cpu.kernel.Lanes.COUNT;
import static moe.backend.cpu.kernel.Lanes.F32;
import static moe.backend.cpu.kernel.Lanes.FMA;
import static moe.backend.cpu.kernel.TileKernels.MAX_STEPS;

import jdk.incubator.vector.FloatVector;

/// The tile of 8 × 2 vectors for machines with 32 registers, written like `VectorPackedTile6`.
final class VectorTile8 {
  private VectorTile8() {}

  /// `TileKernels.tile` for 8 rows.
  static void run(
      float[] a,
      int a0,
      int aStride,
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
    FloatVector c60 = c00;
    FloatVector c61 = c00;
    FloatVector c70 = c00;
    FloatVector c71 = c00;
    int a1 = a0 + aStride;
    int a2 = a1 + aStride;
    int a3 = a2 + aStride;
    int a4 = a3 + aStride;
    int a5 = a4 + aStride;
    int a6 = a5 + aStride;
    int a7 = a6 + aStride;
    // No strip mining with a bound that C2 can see: it needs the registers of these addresses.
    int count = Math.min(steps, MAX_STEPS);
    for (int p = 0; p < count; p++) {
      FloatVector b0 = FloatVector.fromArray(F32, b, left + p * COUNT);
      FloatVector b1 = FloatVector.fromArray(F32, b, right + p * COUNT);
      FloatVector v = FloatVector.broadcast(F32, a[a0 + p]);
      c00 = FMA ? v.fma(b0, c00) : v.mul(b0).add(c00);
      c01 = FMA ? v.fma(b1, c01) : v.mul(b1).add(c01);
      v = FloatVector.broadcast(F32, a[a1 + p]);
      c10 = FMA ? v.fma(b0, c10) : v.mul(b0).add(c10);
      c11 = FMA ? v.fma(b1, c11) : v.mul(b1).add(c11);
      v = FloatVector.broadcast(F32, a[a2 + p]);
      c20 = FMA ? v.fma(b0, c20) : v.mul(b0).add(c20);
      c21 = FMA ? v.fma(b1, c21) : v.mul(b1).add(c21);
      v = FloatVector.broadcast(F32, a[a3 + p]);
      c30 = FMA ? v.fma(b0, c30) : v.mul(b0).add(c30);
      c31 = FMA ? v.fma(b1, c31) : v.mul(b1).add(c31);
      v = FloatVector.broadcast(F32, a[a4 + p]);
      c40 = FMA ? v.fma(b0, c40) : v.mul(b0).add(c40);
      c41 = FMA ? v.fma(b1, c41) : v.mul(b1).add(c41);
      v = FloatVector.broadcast(F32, a[a5 + p]);
      c50 = FMA ? v.fma(b0, c50) : v.mul(b0).add(c50);
      c51 = FMA ? v.fma(b1, c51) : v.mul(b1).add(c51);
      v = FloatVector.broadcast(F32, a[a6 + p]);
      c60 = FMA ? v.fma(b0, c60) : v.mul(b0).add(c60);
      c61 = FMA ? v.fma(b1, c61) : v.mul(b1).add(c61);
      v = FloatVector.broadcast(F32, a[a7 + p]);
      c70 = FMA ? v.fma(b0, c70) : v.mul(b0).add(c70);
      c71 = FMA ? v.fma(b1, c71) : v.mul(b1).add(c71);
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
    at += cStride;
    c60.add(FloatVector.fromArray(F32, c, at)).intoArray(c, at);
    c61.add(FloatVector.fromArray(F32, c, at + COUNT)).intoArray(c, at + COUNT);
    at += cStride;
    c70.add(FloatVector.fromArray(F32, c, at)).intoArray(c, at);
    c71.add(FloatVector.fromArray(F32, c, at + COUNT)).intoArray(c, at + COUNT);
  }
}
