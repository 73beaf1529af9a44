package moe.backend.cpu.kernel;

/// Loops over `n` consecutive floats. Sums are taken in a fixed order that depends on `n` and the
/// vector size alone.
interface RowKernels {
  /// `Σ a·b`.
  float dot(float[] a, int aAt, float[] b, int bAt, int n);

  /// `y += factor·x`.
  void axpy(float factor, float[] x, int xAt, float[] y, int yAt, int n);

  /// `y = factor·x`; `y` may be `x`.
  void scale(float factor, float[] x, int xAt, float[] y, int yAt, int n);

  /// `out = a + b`; `out` may be `a` or `b`.
  void add(float[] a, int aAt, float[] b, int bAt, float[] out, int outAt, int n);

  /// `out = a ∘ b`; `out` may be `a` or `b`.
  void multiply(float[] a, int aAt, float[] b, int bAt, float[] out, int outAt, int n);

  /// The largest element, `−∞` if there is none, NaN if one is NaN.
  float max(float[] x, int xAt, int n);

  /// `Σ e^(x − shift)`.
  float sumExp(float[] x, int xAt, float shift, int n);

  /// `y = e^(x − shift)`; `y` may be `x`.
  void exp(float[] x, int xAt, float shift, float[] y, int yAt, int n);

  /// `y = e^(x − m)` with `m` the larger of `least` and the largest element; `y` may be `x`.
  ///
  /// @param max takes `m` at `maxAt`
  /// @return `Σ y`
  float expBelowMax(
      float[] x, int xAt, float least, float[] y, int yAt, int n, float[] max, int maxAt);

  /// `dS = p ∘ (dS − shift)·factor`.
  void softmaxBackward(float[] p, int pAt, float shift, float factor, float[] dS, int dSAt, int n);
}
