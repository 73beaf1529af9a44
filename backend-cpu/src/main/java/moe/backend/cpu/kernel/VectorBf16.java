package moe.backend.cpu.kernel;

import static moe.backend.cpu.kernel.Lanes.COUNT;
import static moe.backend.cpu.kernel.Lanes.F32;
import static moe.backend.cpu.kernel.Lanes.FMA;
import static moe.backend.cpu.kernel.Lanes.I32;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.ShortVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorShape;
import jdk.incubator.vector.VectorSpecies;

/// Weights stored as bfloat16, the upper half of a float, widened in registers.
///
/// A register of 2·COUNT weights, seen as ints, holds pairs: shifted left it is the even weights as
/// floats, masked the odd ones. That is two instructions and half the loads of widening in order,
/// which is limited to a quarter of the speed, so x has to come in pairs too: `pairs` puts each
/// 2·COUNT numbers as first the even and then the odd ones.
final class VectorBf16 {
  private static final int PAIRED = 2 * COUNT;
  private static final VectorSpecies<Short> I16 = VectorSpecies.of(short.class, I32.vectorShape());
  private static final VectorSpecies<Short> HALF =
      VectorSpecies.of(short.class, VectorShape.forBitSize(16 * COUNT));
  private static final int UPPER_HALF = 0xFFFF0000;

  private VectorBf16() {}

  /// `TileKernels.pairs`.
  static void pairs(float[] x, int xOffset, int k, float[] y, int yOffset) {
    int whole = I16.loopBound(k);
    for (int p = 0; p < whole; p += PAIRED) {
      for (int i = 0; i < COUNT; i++) {
        y[yOffset + p + i] = x[xOffset + p + 2 * i];
        y[yOffset + p + COUNT + i] = x[xOffset + p + 2 * i + 1];
      }
    }
    System.arraycopy(x, xOffset + whole, y, yOffset + whole, k - whole);
  }

  /// `TileKernels.dots` on bfloat16 weights.
  static void dots(
      float[] x,
      int xOffset,
      short[] w,
      int wOffset,
      int n,
      int k,
      float[] y,
      int yOffset,
      float[] lanes) {
    int whole = I16.loopBound(k);
    int quarter = n / 4;
    for (int i = 0; i < quarter; i++) {
      four(x, xOffset, w, wOffset + i * k, quarter * k, k, lanes);
      for (int j = 0; j < 4; j++) {
        int row = j * quarter + i;
        float tail = tail(x, xOffset, w, wOffset + row * k, whole, k);
        y[yOffset + row] = Lanes.sum(lanes, j * COUNT) + tail;
      }
    }
    for (int i = 4 * quarter; i < n; i++) {
      y[yOffset + i] = one(x, xOffset, w, wOffset + i * k, k);
    }
  }

  /// `TileKernels.widen`.
  static void widen(short[] w, int wOffset, float[] y, int yOffset, int n) {
    int i = 0;
    for (; i < F32.loopBound(n); i += COUNT) {
      ShortVector.fromArray(HALF, w, wOffset + i)
          .convertShape(VectorOperators.ZERO_EXTEND_S2I, I32, 0)
          .reinterpretAsInts()
          .lanewise(VectorOperators.LSHL, 16)
          .reinterpretAsFloats()
          .intoArray(y, yOffset + i);
    }
    for (; i < n; i++) {
      y[yOffset + i] = widen(w[wOffset + i]);
    }
  }

  // Even and odd weights have sums of their own: 8 chains keep two multiply-add units busy. Nothing
  // of ours is called (see VectorPackedTile6), so the sums of lanes are left to the caller.
  private static void four(
      float[] x, int xOffset, short[] w, int w0, int distance, int k, float[] lanes) {
    FloatVector even0 = FloatVector.zero(F32);
    FloatVector even1 = even0;
    FloatVector even2 = even0;
    FloatVector even3 = even0;
    FloatVector odd0 = even0;
    FloatVector odd1 = even0;
    FloatVector odd2 = even0;
    FloatVector odd3 = even0;
    int w1 = w0 + distance;
    int w2 = w1 + distance;
    int w3 = w2 + distance;
    for (int p = 0; p < I16.loopBound(k); p += PAIRED) {
      FloatVector even = FloatVector.fromArray(F32, x, xOffset + p);
      FloatVector odd = FloatVector.fromArray(F32, x, xOffset + p + COUNT);
      IntVector v0 = ShortVector.fromArray(I16, w, w0 + p).reinterpretAsInts();
      FloatVector e0 = v0.lanewise(VectorOperators.LSHL, 16).reinterpretAsFloats();
      FloatVector o0 = v0.and(UPPER_HALF).reinterpretAsFloats();
      even0 = FMA ? e0.fma(even, even0) : e0.mul(even).add(even0);
      odd0 = FMA ? o0.fma(odd, odd0) : o0.mul(odd).add(odd0);
      IntVector v1 = ShortVector.fromArray(I16, w, w1 + p).reinterpretAsInts();
      FloatVector e1 = v1.lanewise(VectorOperators.LSHL, 16).reinterpretAsFloats();
      FloatVector o1 = v1.and(UPPER_HALF).reinterpretAsFloats();
      even1 = FMA ? e1.fma(even, even1) : e1.mul(even).add(even1);
      odd1 = FMA ? o1.fma(odd, odd1) : o1.mul(odd).add(odd1);
      IntVector v2 = ShortVector.fromArray(I16, w, w2 + p).reinterpretAsInts();
      FloatVector e2 = v2.lanewise(VectorOperators.LSHL, 16).reinterpretAsFloats();
      FloatVector o2 = v2.and(UPPER_HALF).reinterpretAsFloats();
      even2 = FMA ? e2.fma(even, even2) : e2.mul(even).add(even2);
      odd2 = FMA ? o2.fma(odd, odd2) : o2.mul(odd).add(odd2);
      IntVector v3 = ShortVector.fromArray(I16, w, w3 + p).reinterpretAsInts();
      FloatVector e3 = v3.lanewise(VectorOperators.LSHL, 16).reinterpretAsFloats();
      FloatVector o3 = v3.and(UPPER_HALF).reinterpretAsFloats();
      even3 = FMA ? e3.fma(even, even3) : e3.mul(even).add(even3);
      odd3 = FMA ? o3.fma(odd, odd3) : o3.mul(odd).add(odd3);
    }
    even0.add(odd0).intoArray(lanes, 0);
    even1.add(odd1).intoArray(lanes, COUNT);
    even2.add(odd2).intoArray(lanes, 2 * COUNT);
    even3.add(odd3).intoArray(lanes, 3 * COUNT);
  }

  private static float one(float[] x, int xOffset, short[] w, int wOffset, int k) {
    FloatVector even = FloatVector.zero(F32);
    FloatVector odd = even;
    int p = 0;
    for (; p < I16.loopBound(k); p += PAIRED) {
      IntVector v = ShortVector.fromArray(I16, w, wOffset + p).reinterpretAsInts();
      FloatVector e = v.lanewise(VectorOperators.LSHL, 16).reinterpretAsFloats();
      FloatVector o = v.and(UPPER_HALF).reinterpretAsFloats();
      FloatVector f = FloatVector.fromArray(F32, x, xOffset + p);
      even = FMA ? f.fma(e, even) : f.mul(e).add(even);
      f = FloatVector.fromArray(F32, x, xOffset + p + COUNT);
      odd = FMA ? f.fma(o, odd) : f.mul(o).add(odd);
    }
    return Lanes.sum(even.add(odd)) + tail(x, xOffset, w, wOffset, p, k);
  }

  private static float tail(float[] x, int xOffset, short[] w, int wOffset, int from, int k) {
    float sum = 0;
    for (int p = from; p < k; p++) {
      sum += x[xOffset + p] * widen(w[wOffset + p]);
    }
    return sum;
  }

  /// The float that a bfloat16 number is the upper half of.
  static float widen(short bits) {
    return Float.intBitsToFloat(bits << 16);
  }
}
