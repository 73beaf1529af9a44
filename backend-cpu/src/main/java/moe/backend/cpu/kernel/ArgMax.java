package moe.backend.cpu.kernel;

/// The index of the largest element of each row; of equals the smallest index. NaN is never the
/// largest, and a row of NaN alone gives 0.
public final class ArgMax extends RowJob {
  private final RowKernels kernels;
  private Floats x = Floats.NONE;
  private Ints indexes = Ints.NONE;
  private int width;

  public ArgMax(CpuThreads threads, InnerLoops loops) {
    super(threads);
    this.kernels = loops.rows;
  }

  /// Fills `indexes [rows]` from `x [rows, width]`.
  public void run(Floats x, Ints indexes, int rows, int width) {
    this.x = x;
    this.indexes = indexes;
    this.width = width;
    runRows(rows, width);
  }

  @Override
  void rows(int from, int to) {
    for (int row = from; row < to; row++) {
      int at = x.at() + row * width;
      float max = kernels.max(x.array(), at, width);
      indexes.array()[indexes.at() + row] = Float.isNaN(max) ? largestNumber(at) : firstOf(max, at);
    }
  }

  private int firstOf(float value, int at) {
    for (int i = 0; i < width; i++) {
      if (x.array()[at + i] == value) {
        return i;
      }
    }
    throw new IllegalStateException("the largest element is not in its row");
  }

  private int largestNumber(int at) {
    int best = 0;
    float max = Float.NEGATIVE_INFINITY;
    for (int i = 0; i < width; i++) {
      if (x.array()[at + i] > max) {
        max = x.array()[at + i];
        best = i;
      }
    }
    return best;
  }
}
