package moe.backend.cpu.kernel;

/// The inner loops of layer norm.
interface NormKernels {
  /// `Σ x`.
  float sum(float[] x, int xAt, int n);

  /// `Σ (x − mean)²`.
  float squaredDeviations(float[] x, int xAt, float mean, int n);

  /// `y = (x − mean)·inverse·gain + bias`.
  void normalise(
      float[] x,
      int xAt,
      float mean,
      float inverse,
      Floats gain,
      Floats bias,
      float[] y,
      int yAt,
      int n);

  /// `dX += inverse·(g − Σg/n − x̂·Σ(g·x̂)/n)` with `g = dY·gain` and `x̂ = (x − mean)·inverse`.
  void backwardRow(
      float[] dY,
      int dYAt,
      float[] x,
      int xAt,
      float mean,
      float inverse,
      Floats gain,
      float[] dX,
      int dXAt,
      int n);

  /// Adds `Σ dY·x̂` over the rows to `dGain` and `Σ dY` to `dBias`, for the columns `from` to `to`.
  ///
  /// @param width the distance between two rows
  void backwardColumns(
      Floats dY,
      Floats x,
      Floats mean,
      Floats inverse,
      int rows,
      int width,
      int from,
      int to,
      Floats dGain,
      Floats dBias);
}
