package moe.backend.cpu.kernel;

import static moe.backend.cpu.kernel.Lanes.COUNT;
import static moe.backend.cpu.kernel.Lanes.F32;
import static moe.backend.cpu.kernel.Lanes.FMA;

import jdk.incubator.vector.FloatVector;

/// One row of x against weight rows, 4 at a time: as fast as the weights arrive. The four come from
/// four quarters of the rows, which makes four long streams: memory is fetched ahead along each,
/// and a row is too short for that to begin.
final class VectorDots {
  private VectorDots() {}

  /// `TileKernels.dots`.
  static void run(
      float[] x,
      int xOffset,
      float[] w,
      int wOffset,
      int n,
      int k,
      float[] y,
      int yOffset,
      float[] lanes) {
    int whole = F32.loopBound(k);
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

  // Nothing of ours is called (see VectorPackedTile6), so the sums of lanes are left to the caller.
  private static void four(
      float[] x, int xOffset, float[] w, int w0, int distance, int k, float[] lanes) {
    FloatVector s0 = FloatVector.zero(F32);
    FloatVector s1 = s0;
    FloatVector s2 = s0;
    FloatVector s3 = s0;
    int w1 = w0 + distance;
    int w2 = w1 + distance;
    int w3 = w2 + distance;
    for (int p = 0; p < F32.loopBound(k); p += COUNT) {
      FloatVector v = FloatVector.fromArray(F32, x, xOffset + p);
      FloatVector r0 = FloatVector.fromArray(F32, w, w0 + p);
      s0 = FMA ? r0.fma(v, s0) : r0.mul(v).add(s0);
      FloatVector r1 = FloatVector.fromArray(F32, w, w1 + p);
      s1 = FMA ? r1.fma(v, s1) : r1.mul(v).add(s1);
      FloatVector r2 = FloatVector.fromArray(F32, w, w2 + p);
      s2 = FMA ? r2.fma(v, s2) : r2.mul(v).add(s2);
      FloatVector r3 = FloatVector.fromArray(F32, w, w3 + p);
      s3 = FMA ? r3.fma(v, s3) : r3.mul(v).add(s3);
    }
    s0.intoArray(lanes, 0);
    s1.intoArray(lanes, COUNT);
    s2.intoArray(lanes, 2 * COUNT);
    s3.intoArray(lanes, 3 * COUNT);
  }

  private static float one(float[] x, int xOffset, float[] w, int wOffset, int k) {
    FloatVector sum = FloatVector.zero(F32);
    int p = 0;
    for (; p < F32.loopBound(k); p += COUNT) {
      FloatVector v = FloatVector.fromArray(F32, x, xOffset + p);
      FloatVector weights = FloatVector.fromArray(F32, w, wOffset + p);
      sum = FMA ? v.fma(weights, sum) : v.mul(weights).add(sum);
    }
    return Lanes.sum(sum) + tail(x, xOffset, w, wOffset, p, k);
  }

  // Scalar: with masked vectors the method grows so large that C2 no longer inlines the sums.
  private static float tail(float[] x, int xOffset, float[] w, int wOffset, int from, int k) {
    float sum = 0;
    for (int p = from; p < k; p++) {
      sum += x[xOffset + p] * w[wOffset + p];
    }
    return sum;
  }
}
