package moe.backend.cpu.kernel;

import static moe.backend.cpu.kernel.Lanes.COUNT;
import static moe.backend.cpu.kernel.Lanes.F32;
import static moe.backend.cpu.kernel.Lanes.I32;
import static moe.backend.cpu.kernel.Lanes.multiplyAdd;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.ShortVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorShape;
import jdk.incubator.vector.VectorSpecies;

/// Weights stored as bfloat16, the upper half of a float, widened in registers.
final class VectorBf16 {
  private static final VectorSpecies<Short> HALF =
      VectorSpecies.of(short.class, VectorShape.forBitSize(Math.max(64, 16 * COUNT)));

  private VectorBf16() {}

  /// `TileKernels.dots` on bfloat16 weights.
  static void dots(
      float[] x, int xOffset, short[] w, int wOffset, int n, int k, float[] y, int yOffset) {
    int i = 0;
    for (; i + 4 <= n; i += 4) {
      four(x, xOffset, w, wOffset + i * k, k, y, yOffset + i);
    }
    for (; i < n; i++) {
      y[yOffset + i] = one(x, xOffset, w, wOffset + i * k, k);
    }
  }

  /// `TileKernels.widen`.
  static void widen(short[] w, int wOffset, float[] y, int yOffset, int n) {
    int i = 0;
    for (; i < F32.loopBound(n); i += COUNT) {
      load(w, wOffset + i).intoArray(y, yOffset + i);
    }
    for (; i < n; i++) {
      y[yOffset + i] = widen(w[wOffset + i]);
    }
  }

  private static void four(
      float[] x, int xOffset, short[] w, int w0, int k, float[] y, int yOffset) {
    FloatVector s0 = FloatVector.zero(F32);
    FloatVector s1 = s0;
    FloatVector s2 = s0;
    FloatVector s3 = s0;
    int w1 = w0 + k;
    int w2 = w1 + k;
    int w3 = w2 + k;
    int p = 0;
    for (; p < F32.loopBound(k); p += COUNT) {
      FloatVector v = FloatVector.fromArray(F32, x, xOffset + p);
      s0 = multiplyAdd(v, load(w, w0 + p), s0);
      s1 = multiplyAdd(v, load(w, w1 + p), s1);
      s2 = multiplyAdd(v, load(w, w2 + p), s2);
      s3 = multiplyAdd(v, load(w, w3 + p), s3);
    }
    y[yOffset] = Lanes.sum(s0);
    y[yOffset + 1] = Lanes.sum(s1);
    y[yOffset + 2] = Lanes.sum(s2);
    y[yOffset + 3] = Lanes.sum(s3);
    for (int i = 0; i < 4; i++) {
      y[yOffset + i] += tail(x, xOffset, w, w0 + i * k, p, k);
    }
  }

  private static float one(float[] x, int xOffset, short[] w, int wOffset, int k) {
    FloatVector sum = FloatVector.zero(F32);
    int p = 0;
    for (; p < F32.loopBound(k); p += COUNT) {
      FloatVector v = FloatVector.fromArray(F32, x, xOffset + p);
      sum = multiplyAdd(v, load(w, wOffset + p), sum);
    }
    return Lanes.sum(sum) + tail(x, xOffset, w, wOffset, p, k);
  }

  private static float tail(float[] x, int xOffset, short[] w, int wOffset, int from, int k) {
    float sum = 0;
    for (int p = from; p < k; p++) {
      sum += x[xOffset + p] * widen(w[wOffset + p]);
    }
    return sum;
  }

  static float widen(short bits) {
    return Float.intBitsToFloat(bits << 16);
  }

  private static FloatVector load(short[] w, int offset) {
    return ((IntVector)
            ShortVector.fromArray(HALF, w, offset)
                .convertShape(VectorOperators.ZERO_EXTEND_S2I, I32, 0))
        .lanewise(VectorOperators.LSHL, 16)
        .reinterpretAsFloats();
  }
}
