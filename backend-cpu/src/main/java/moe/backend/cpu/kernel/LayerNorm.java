package moe.backend.cpu.kernel;

/// `y = (x − mean) / √(variance + ε) · gain + bias` for each row; the variance in a second pass
/// over the row, which is exact where `Σx² − mean²` cancels.
public final class LayerNorm extends RowJob {
  private final NormKernels kernels;
  private int width;
  private float epsilon;
  private Floats x = Floats.NONE;
  private Floats gain = Floats.NONE;
  private Floats bias = Floats.NONE;
  private Floats y = Floats.NONE;
  private Floats mean = Floats.NONE;
  private Floats inverse = Floats.NONE;

  public LayerNorm(CpuThreads threads, InnerLoops loops) {
    super(threads);
    this.kernels = loops.norms;
  }

  /// The weights of a norm: gain `[width]` and bias `[width]`.
  public LayerNorm weights(Floats gain, Floats bias, float epsilon) {
    this.gain = gain;
    this.bias = bias;
    this.epsilon = epsilon;
    return this;
  }

  /// Where to write mean `[rows]` and `1/√(variance + ε)` `[rows]`.
  public LayerNorm statistics(Floats mean, Floats inverse) {
    this.mean = mean;
    this.inverse = inverse;
    return this;
  }

  /// Normalises `x [rows, width]` into `y`.
  public void run(Floats x, Floats y, int rows, int width) {
    this.x = x;
    this.y = y;
    this.width = width;
    runRows(rows, width);
  }

  @Override
  void rows(int from, int to) {
    for (int row = from; row < to; row++) {
      int xAt = x.at() + row * width;
      float m = kernels.sum(x.array(), xAt, width) / width;
      float variance = kernels.squaredDeviations(x.array(), xAt, m, width) / width;
      float i = (float) (1 / Math.sqrt(variance + epsilon));
      kernels.normalise(x.array(), xAt, m, i, gain, bias, y.array(), y.at() + row * width, width);
      mean.array()[mean.at() + row] = m;
      inverse.array()[inverse.at() + row] = i;
    }
  }
}
