package moe.backend.cpu.kernel;

/// `Σ x²`, in parts of a fixed number, so that the result does not depend on the number of threads.
public final class SumOfSquares implements CpuThreads.Job {
  private static final int PARTS = 256;

  /// Elements summed in float32; their sums are added in double precision.
  private static final int STRETCH = 4096;

  private final CpuThreads threads;
  private final RowKernels rows;
  private final double[] sums = new double[PARTS];
  private Floats x = Floats.NONE;
  private int n;

  public SumOfSquares(CpuThreads threads, InnerLoops loops) {
    this.threads = threads;
    this.rows = loops.rows;
  }

  /// The sum over the first `n` elements.
  public double of(Floats x, int n) {
    this.x = x;
    this.n = n;
    threads.run(PARTS, this);
    double sum = 0;
    for (double part : sums) {
      sum += part;
    }
    return sum;
  }

  @Override
  public void run(int index) {
    int end = (int) ((index + 1L) * n / PARTS);
    double sum = 0;
    for (int from = (int) ((long) index * n / PARTS); from < end; from += STRETCH) {
      int at = x.at() + from;
      sum += rows.dot(x.array(), at, x.array(), at, Math.min(STRETCH, end - from));
    }
    sums[index] = sum;
  }
}
