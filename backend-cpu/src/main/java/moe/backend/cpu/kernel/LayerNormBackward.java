package moe.backend.cpu.kernel;

/// Gradient of `LayerNorm`: by rows for the input, then by columns for gain and bias, so that each
/// sum over rows is taken by one thread in the order of the rows.
public final class LayerNormBackward extends RowJob {
  private final NormKernels kernels;
  private final Columns columns;
  private int width;
  private Floats dY = Floats.NONE;
  private Floats x = Floats.NONE;
  private Floats gain = Floats.NONE;
  private Floats mean = Floats.NONE;
  private Floats inverse = Floats.NONE;
  private Floats dX = Floats.NONE;

  public LayerNormBackward(CpuThreads threads, InnerLoops loops) {
    super(threads);
    this.kernels = loops.norms;
    this.columns = new Columns(threads, loops.norms);
  }

  /// What the forward pass read and kept.
  public LayerNormBackward forward(Floats x, Floats gain, Floats mean, Floats inverse) {
    this.x = x;
    this.gain = gain;
    this.mean = mean;
    this.inverse = inverse;
    return this;
  }

  /// Adds to `dX [rows, width]`.
  public void input(Floats dY, Floats dX, int rows, int width) {
    this.dY = dY;
    this.dX = dX;
    this.width = width;
    runRows(rows, width);
  }

  /// Adds to `dGain [width]` and `dBias [width]`.
  public void weights(Floats dY, Floats dGain, Floats dBias, int rows, int width) {
    columns.run(dY, x, mean, inverse, rows, width, dGain, dBias);
  }

  @Override
  void rows(int from, int to) {
    for (int row = from; row < to; row++) {
      int at = row * width;
      float m = mean.array()[mean.at() + row];
      float i = inverse.array()[inverse.at() + row];
      kernels.backwardRow(
          dY.array(),
          dY.at() + at,
          x.array(),
          x.at() + at,
          m,
          i,
          gain,
          dX.array(),
          dX.at() + at,
          width);
    }
  }

  private static final class Columns implements CpuThreads.Job {
    /// A multiple of every vector length, two cache lines wide.
    private static final int PER_TASK = 32;

    private final CpuThreads threads;
    private final NormKernels kernels;
    private Floats dY = Floats.NONE;
    private Floats x = Floats.NONE;
    private Floats mean = Floats.NONE;
    private Floats inverse = Floats.NONE;
    private Floats dGain = Floats.NONE;
    private Floats dBias = Floats.NONE;
    private int rows;
    private int width;

    Columns(CpuThreads threads, NormKernels kernels) {
      this.threads = threads;
      this.kernels = kernels;
    }

    void run(
        Floats dY,
        Floats x,
        Floats mean,
        Floats inverse,
        int rows,
        int width,
        Floats dGain,
        Floats dBias) {
      this.dY = dY;
      this.x = x;
      this.mean = mean;
      this.inverse = inverse;
      this.rows = rows;
      this.width = width;
      this.dGain = dGain;
      this.dBias = dBias;
      threads.run(Math.ceilDiv(width, PER_TASK), this);
    }

    @Override
    public void run(int index) {
      int from = index * PER_TASK;
      int to = Math.min(width, from + PER_TASK);
      kernels.backwardColumns(dY, x, mean, inverse, rows, width, from, to, dGain, dBias);
    }
  }
}
