package moe.backend.cpu.kernel;

/// Plain loops, for Java without the vector module.
final class ScalarRowKernels implements RowKernels {
  @Override
  public float dot(float[] a, int aAt, float[] b, int bAt, int n) {
    float sum = 0;
    for (int i = 0; i < n; i++) {
      sum += a[aAt + i] * b[bAt + i];
    }
    return sum;
  }

  @Override
  public void axpy(float factor, float[] x, int xAt, float[] y, int yAt, int n) {
    for (int i = 0; i < n; i++) {
      y[yAt + i] += factor * x[xAt + i];
    }
  }

  @Override
  public void scale(float factor, float[] x, int xAt, float[] y, int yAt, int n) {
    for (int i = 0; i < n; i++) {
      y[yAt + i] = factor * x[xAt + i];
    }
  }

  @Override
  public void add(float[] a, int aAt, float[] b, int bAt, float[] out, int outAt, int n) {
    for (int i = 0; i < n; i++) {
      out[outAt + i] = a[aAt + i] + b[bAt + i];
    }
  }

  @Override
  public void multiply(float[] a, int aAt, float[] b, int bAt, float[] out, int outAt, int n) {
    for (int i = 0; i < n; i++) {
      out[outAt + i] = a[aAt + i] * b[bAt + i];
    }
  }

  @Override
  public float max(float[] x, int xAt, int n) {
    float max = Float.NEGATIVE_INFINITY;
    for (int i = 0; i < n; i++) {
      max = Math.max(max, x[xAt + i]);
    }
    return max;
  }

  @Override
  public float sumExp(float[] x, int xAt, float shift, int n) {
    float sum = 0;
    for (int i = 0; i < n; i++) {
      sum += ScalarMath.exp(x[xAt + i] - shift);
    }
    return sum;
  }

  @Override
  public void exp(float[] x, int xAt, float shift, float[] y, int yAt, int n) {
    for (int i = 0; i < n; i++) {
      y[yAt + i] = ScalarMath.exp(x[xAt + i] - shift);
    }
  }

  @Override
  public float expBelowMax(
      float[] x, int xAt, float least, float[] y, int yAt, int n, float[] max, int maxAt) {
    float shift = Math.max(least, max(x, xAt, n));
    max[maxAt] = shift;
    float sum = 0;
    for (int i = 0; i < n; i++) {
      float e = ScalarMath.exp(x[xAt + i] - shift);
      y[yAt + i] = e;
      sum += e;
    }
    return sum;
  }

  @Override
  public void softmaxBackward(
      float[] p, int pAt, float shift, float factor, float[] dS, int dSAt, int n) {
    for (int i = 0; i < n; i++) {
      dS[dSAt + i] = p[pAt + i] * (dS[dSAt + i] - shift) * factor;
    }
  }
}
