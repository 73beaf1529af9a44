package moe.backend.cpu.kernel;

import static jdk.incubator.vector.VectorOperators.MAX;
import static moe.backend.cpu.kernel.Lanes.F32;
import static moe.backend.cpu.kernel.Lanes.multiplyAdd;

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
        s0 = multiplyAdd(at(a, aAt + i), at(b, bAt + i), s0);
        s1 = multiplyAdd(at(a, aAt + i + LANES), at(b, bAt + i + LANES), s1);
        s2 = multiplyAdd(at(a, aAt + i + 2 * LANES), at(b, bAt + i + 2 * LANES), s2);
        s3 = multiplyAdd(at(a, aAt + i + 3 * LANES), at(b, bAt + i + 3 * LANES), s3);
      }
      for (; i <= n - LANES; i += LANES) {
        s0 = multiplyAdd(at(a, aAt + i), at(b, bAt + i), s0);
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
      multiplyAdd(at(x, xAt + i), f, at(y, yAt + i)).intoArray(y, yAt + i);
    }
    for (; i < n; i++) {
      y[yAt + i] = factor * x[xAt + i] + y[yAt + i];
    }
  }

  @Override
  public void scale(float factor, float[] x, int xAt, float[] y, int yAt, int n) {
    int i = 0;
    for (; i <= n - LANES; i += LANES) {
      at(x, xAt + i).mul(factor).intoArray(y, yAt + i);
    }
    for (; i < n; i++) {
      y[yAt + i] = factor * x[xAt + i];
    }
  }

  @Override
  public void add(float[] a, int aAt, float[] b, int bAt, float[] out, int outAt, int n) {
    int i = 0;
    for (; i <= n - LANES; i += LANES) {
      at(a, aAt + i).add(at(b, bAt + i)).intoArray(out, outAt + i);
    }
    for (; i < n; i++) {
      out[outAt + i] = a[aAt + i] + b[bAt + i];
    }
  }

  @Override
  public void multiply(float[] a, int aAt, float[] b, int bAt, float[] out, int outAt, int n) {
    int i = 0;
    for (; i <= n - LANES; i += LANES) {
      at(a, aAt + i).mul(at(b, bAt + i)).intoArray(out, outAt + i);
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
      FloatVector m0 = at(x, xAt);
      FloatVector m1 = m0;
      for (; i <= n - 2 * LANES; i += 2 * LANES) {
        m0 = m0.max(at(x, xAt + i));
        m1 = m1.max(at(x, xAt + i + LANES));
      }
      for (; i <= n - LANES; i += LANES) {
        m0 = m0.max(at(x, xAt + i));
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
      s = s.add(VectorMath.exp(at(x, xAt + i).sub(shift)));
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
      VectorMath.exp(at(x, xAt + i).sub(shift)).intoArray(y, yAt + i);
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
      FloatVector e = VectorMath.exp(at(x, xAt + i).sub(shift));
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
      at(p, pAt + i).mul(at(dS, dSAt + i).sub(shift)).mul(factor).intoArray(dS, dSAt + i);
    }
    for (; i < n; i++) {
      dS[dSAt + i] = p[pAt + i] * (dS[dSAt + i] - shift) * factor;
    }
  }

  private static FloatVector at(float[] x, int index) {
    return FloatVector.fromArray(F32, x, index);
  }
}
