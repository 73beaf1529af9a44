package moe.backend.cpu.kernel;

import static jdk.incubator.vector.VectorOperators.MAX;
import static moe.backend.cpu.kernel.Lanes.F32;
import static moe.backend.cpu.kernel.Lanes.FMA;

import jdk.incubator.vector.FloatVector;

/// Loops over vectors of floats, each with a scalar tail.
final class VectorRowKernels implements RowKernels {
  private static final int LANES = Lanes.COUNT;

  @Override
  public float dot(float[] a, int aAt, float[] b, int bAt, int n) {
    int i = 0;
    float sum = 0;
    if (n >= LANES) {
      // Four chains: one chain of multiply-adds waits for its own latency.
      FloatVector s0 = FloatVector.zero(F32);
      FloatVector s1 = s0;
      FloatVector s2 = s0;
      FloatVector s3 = s0;
      for (; i <= n - 4 * LANES; i += 4 * LANES) {
        FloatVector a0 = FloatVector.fromArray(F32, a, aAt + i);
        FloatVector a1 = FloatVector.fromArray(F32, a, aAt + i + LANES);
        FloatVector a2 = FloatVector.fromArray(F32, a, aAt + i + 2 * LANES);
        FloatVector a3 = FloatVector.fromArray(F32, a, aAt + i + 3 * LANES);
        FloatVector b0 = FloatVector.fromArray(F32, b, bAt + i);
        FloatVector b1 = FloatVector.fromArray(F32, b, bAt + i + LANES);
        FloatVector b2 = FloatVector.fromArray(F32, b, bAt + i + 2 * LANES);
        FloatVector b3 = FloatVector.fromArray(F32, b, bAt + i + 3 * LANES);
        s0 = FMA ? a0.fma(b0, s0) : a0.mul(b0).add(s0);
        s1 = FMA ? a1.fma(b1, s1) : a1.mul(b1).add(s1);
        s2 = FMA ? a2.fma(b2, s2) : a2.mul(b2).add(s2);
        s3 = FMA ? a3.fma(b3, s3) : a3.mul(b3).add(s3);
      }
      for (; i <= n - LANES; i += LANES) {
        FloatVector a0 = FloatVector.fromArray(F32, a, aAt + i);
        FloatVector b0 = FloatVector.fromArray(F32, b, bAt + i);
        s0 = FMA ? a0.fma(b0, s0) : a0.mul(b0).add(s0);
      }
      sum = Lanes.sum(s0.add(s1).add(s2.add(s3)));
    }
    for (; i < n; i++) {
      sum = a[aAt + i] * b[bAt + i] + sum;
    }
    return sum;
  }

  @Override
  public void axpy(float factor, float[] x, int xAt, float[] y, int yAt, int n) {
    int i = 0;
    FloatVector f = FloatVector.broadcast(F32, factor);
    for (; i <= n - LANES; i += LANES) {
      FloatVector v = FloatVector.fromArray(F32, x, xAt + i);
      FloatVector sum = FloatVector.fromArray(F32, y, yAt + i);
      sum = FMA ? v.fma(f, sum) : v.mul(f).add(sum);
      sum.intoArray(y, yAt + i);
    }
    for (; i < n; i++) {
      y[yAt + i] = factor * x[xAt + i] + y[yAt + i];
    }
  }

  @Override
  public void scale(float factor, float[] x, int xAt, float[] y, int yAt, int n) {
    int i = 0;
    for (; i <= n - LANES; i += LANES) {
      FloatVector.fromArray(F32, x, xAt + i).mul(factor).intoArray(y, yAt + i);
    }
    for (; i < n; i++) {
      y[yAt + i] = factor * x[xAt + i];
    }
  }

  @Override
  public void add(float[] a, int aAt, float[] b, int bAt, float[] out, int outAt, int n) {
    int i = 0;
    for (; i <= n - LANES; i += LANES) {
      FloatVector v = FloatVector.fromArray(F32, a, aAt + i);
      v.add(FloatVector.fromArray(F32, b, bAt + i)).intoArray(out, outAt + i);
    }
    for (; i < n; i++) {
      out[outAt + i] = a[aAt + i] + b[bAt + i];
    }
  }

  @Override
  public void multiply(float[] a, int aAt, float[] b, int bAt, float[] out, int outAt, int n) {
    int i = 0;
    for (; i <= n - LANES; i += LANES) {
      FloatVector v = FloatVector.fromArray(F32, a, aAt + i);
      v.mul(FloatVector.fromArray(F32, b, bAt + i)).intoArray(out, outAt + i);
    }
    for (; i < n; i++) {
      out[outAt + i] = a[aAt + i] * b[bAt + i];
    }
  }

  @Override
  public float max(float[] x, int xAt, int n) {
    int i = 0;
    float max = Float.NEGATIVE_INFINITY;
    if (n >= LANES) {
      FloatVector m0 = FloatVector.fromArray(F32, x, xAt);
      FloatVector m1 = m0;
      for (; i <= n - 2 * LANES; i += 2 * LANES) {
        m0 = m0.max(FloatVector.fromArray(F32, x, xAt + i));
        m1 = m1.max(FloatVector.fromArray(F32, x, xAt + i + LANES));
      }
      for (; i <= n - LANES; i += LANES) {
        m0 = m0.max(FloatVector.fromArray(F32, x, xAt + i));
      }
      max = m0.max(m1).reduceLanes(MAX);
    }
    for (; i < n; i++) {
      max = Math.max(max, x[xAt + i]);
    }
    return max;
  }

  // C2 stops inlining methods of ours, not those of the Vector API, when a compilation has taken in
  // 8000 bytes of code; an exponential is most of that. So nothing of ours is called after it: the
  // vectors passed would live on the heap.

  @Override
  public float sumExp(float[] x, int xAt, float shift, int n) {
    FloatVector s = FloatVector.zero(F32);
    int i = 0;
    for (; i <= n - LANES; i += LANES) {
      s = s.add(VectorMath.exp(FloatVector.fromArray(F32, x, xAt + i).sub(shift)));
    }
    float sum = 0;
    for (int lane = 0; lane < LANES; lane++) {
      sum += s.lane(lane);
    }
    for (; i < n; i++) {
      sum += ScalarMath.exp(x[xAt + i] - shift);
    }
    return sum;
  }

  @Override
  public void exp(float[] x, int xAt, float shift, float[] y, int yAt, int n) {
    int i = 0;
    for (; i <= n - LANES; i += LANES) {
      VectorMath.exp(FloatVector.fromArray(F32, x, xAt + i).sub(shift)).intoArray(y, yAt + i);
    }
    for (; i < n; i++) {
      y[yAt + i] = ScalarMath.exp(x[xAt + i] - shift);
    }
  }

  @Override
  public float expBelowMax(
      float[] x, int xAt, float least, float[] y, int yAt, int n, float[] max, int maxAt) {
    float shift = Math.max(least, max(x, xAt, n));
    max[maxAt] = shift;
    FloatVector s = FloatVector.zero(F32);
    int i = 0;
    for (; i <= n - LANES; i += LANES) {
      FloatVector e = VectorMath.exp(FloatVector.fromArray(F32, x, xAt + i).sub(shift));
      e.intoArray(y, yAt + i);
      s = s.add(e);
    }
    float sum = 0;
    for (int lane = 0; lane < LANES; lane++) {
      sum += s.lane(lane);
    }
    for (; i < n; i++) {
      float e = ScalarMath.exp(x[xAt + i] - shift);
      y[yAt + i] = e;
      sum += e;
    }
    return sum;
  }

  @Override
  public void softmaxBackward(
      float[] p, int pAt, float shift, float factor, float[] dS, int dSAt, int n) {
    int i = 0;
    for (; i <= n - LANES; i += LANES) {
      FloatVector v = FloatVector.fromArray(F32, p, pAt + i);
      FloatVector d = FloatVector.fromArray(F32, dS, dSAt + i);
      v.mul(d.sub(shift)).mul(factor).intoArray(dS, dSAt + i);
    }
    for (; i < n; i++) {
      dS[dSAt + i] = p[pAt + i] * (dS[dSAt + i] - shift) * factor;
    }
  }
}
