package moe.backend.cpu.kernel;

import static moe.backend.cpu.kernel.Lanes.COUNT;
import static moe.backend.cpu.kernel.Lanes.F32;
import static moe.backend.cpu.kernel.Lanes.multiplyAdd;

import jdk.incubator.vector.FloatVector;

/// One row of x against weight rows, 4 at a time: as fast as the weights arrive.
final class VectorDots {
  private VectorDots() {}

  /// `TileKernels.dots`.
  static void run(
      float[] x, int xOffset, float[] w, int wOffset, int n, int k, float[] y, int yOffset) {
    int i = 0;
    for (; i + 4 <= n; i += 4) {
      four(x, xOffset, w, wOffset + i * k, k, y, yOffset + i);
    }
    for (; i < n; i++) {
      y[yOffset + i] = one(x, xOffset, w, wOffset + i * k, k);
    }
  }

  private static void four(
      float[] x, int xOffset, float[] w, int w0, int k, float[] y, int yOffset) {
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
      s0 = multiplyAdd(v, FloatVector.fromArray(F32, w, w0 + p), s0);
      s1 = multiplyAdd(v, FloatVector.fromArray(F32, w, w1 + p), s1);
      s2 = multiplyAdd(v, FloatVector.fromArray(F32, w, w2 + p), s2);
      s3 = multiplyAdd(v, FloatVector.fromArray(F32, w, w3 + p), s3);
    }
    y[yOffset] = Lanes.sum(s0);
    y[yOffset + 1] = Lanes.sum(s1);
    y[yOffset + 2] = Lanes.sum(s2);
    y[yOffset + 3] = Lanes.sum(s3);
    for (int i = 0; i < 4; i++) {
      y[yOffset + i] += tail(x, xOffset, w, w0 + i * k, p, k);
    }
  }

  private static float one(float[] x, int xOffset, float[] w, int wOffset, int k) {
    FloatVector sum = FloatVector.zero(F32);
    int p = 0;
    for (; p < F32.loopBound(k); p += COUNT) {
      FloatVector v = FloatVector.fromArray(F32, x, xOffset + p);
      sum = multiplyAdd(v, FloatVector.fromArray(F32, w, wOffset + p), sum);
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
