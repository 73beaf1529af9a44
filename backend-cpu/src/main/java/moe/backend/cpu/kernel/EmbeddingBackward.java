package moe.backend.cpu.kernel;

/// Gradient of `Embedding`. Tokens repeat, so their table is cut by columns: one thread adds all
/// rows of its columns in their order. Positions are cut by position.
public final class EmbeddingBackward {
  private final CpuThreads threads;
  private final TokenColumns tokenColumns;
  private final PositionRows positionRows;

  public EmbeddingBackward(CpuThreads threads, InnerLoops loops) {
    this.threads = threads;
    this.tokenColumns = new TokenColumns(loops.rows);
    this.positionRows = new PositionRows(threads, loops.rows);
  }

  /// Adds `dOut [rows, width]` to the rows `ids` of `dTokens [vocab, width]`.
  public void tokens(Ints ids, Floats dOut, int rows, int width, Floats dTokens) {
    tokenColumns.ids = ids;
    tokenColumns.dOut = dOut;
    tokenColumns.rows = rows;
    tokenColumns.width = width;
    tokenColumns.dTokens = dTokens;
    threads.run(Math.ceilDiv(width, TokenColumns.PER_TASK), tokenColumns);
  }

  /// Adds the rows of `dOut [rows, width]` to `dPositions [nPositions, width]`, row `t` to `t mod
  /// seqLength`.
  public void positions(Floats dOut, int rows, int seqLength, int width, Floats dPositions) {
    positionRows.dOut = dOut;
    positionRows.rows = rows;
    positionRows.seqLength = seqLength;
    positionRows.width = width;
    positionRows.dPositions = dPositions;
    positionRows.runRows(
        Math.min(rows, seqLength), Math.ceilDiv(rows, Math.max(1, seqLength)) * width);
  }

  private static final class TokenColumns implements CpuThreads.Job {
    static final int PER_TASK = 64;

    final RowKernels kernels;
    Ints ids = Ints.NONE;
    Floats dOut = Floats.NONE;
    Floats dTokens = Floats.NONE;
    int rows;
    int width;

    TokenColumns(RowKernels kernels) {
      this.kernels = kernels;
    }

    @Override
    public void run(int index) {
      int from = index * PER_TASK;
      int n = Math.min(width - from, PER_TASK);
      for (int row = 0; row < rows; row++) {
        int at = dTokens.at() + ids.get(row) * width + from;
        int dOutAt = dOut.at() + row * width + from;
        kernels.add(dTokens.array(), at, dOut.array(), dOutAt, dTokens.array(), at, n);
      }
    }
  }

  private static final class PositionRows extends RowJob {
    final RowKernels kernels;
    Floats dOut = Floats.NONE;
    Floats dPositions = Floats.NONE;
    int rows;
    int seqLength;
    int width;

    PositionRows(CpuThreads threads, RowKernels kernels) {
      super(threads);
      this.kernels = kernels;
    }

    @Override
    void rows(int from, int to) {
      for (int position = from; position < to; position++) {
        int at = dPositions.at() + position * width;
        for (int row = position; row < rows; row += seqLength) {
          int dOutAt = dOut.at() + row * width;
          kernels.add(dPositions.array(), at, dOut.array(), dOutAt, dPositions.array(), at, width);
        }
      }
    }
  }
}
