package moe.backend.cpu.kernel;

/// `out[t] = tokenTable[ids[t]] + positionTable[firstPosition + t mod seqLength]`.
public final class Embedding extends RowJob {
  private final RowKernels kernels;
  private final TileKernels tiles;
  private Ints ids = Ints.NONE;
  private Elements tokenTable = ids;
  private Floats positionTable = Floats.NONE;
  private Floats out = Floats.NONE;
  private int firstPosition;
  private int seqLength;
  private int width;

  public Embedding(CpuThreads threads, InnerLoops loops) {
    super(threads);
    this.kernels = loops.rows;
    this.tiles = loops.tiles;
  }

  /// The tables: `tokens [vocab, width]`, F32 or bfloat16, and `positions [nPositions, width]`.
  public Embedding tables(Elements tokens, Floats positions, int width) {
    this.tokenTable = tokens;
    this.positionTable = positions;
    this.width = width;
    return this;
  }

  /// Fills `out [rows, width]`.
  public void run(Ints ids, int rows, int seqLength, int firstPosition, Floats out) {
    this.ids = ids;
    this.seqLength = seqLength;
    this.firstPosition = firstPosition;
    this.out = out;
    runRows(rows, width);
  }

  @Override
  void rows(int from, int to) {
    for (int row = from; row < to; row++) {
      int position = positionTable.at() + (firstPosition + row % seqLength) * width;
      int token = ids.get(row) * width;
      int outAt = out.at() + row * width;
      switch (tokenTable) {
        case Floats(float[] table, int at) ->
            kernels.add(
                table, at + token, positionTable.array(), position, out.array(), outAt, width);
        case Halves(short[] table, int at) -> {
          tiles.widen(table, at + token, out.array(), outAt, width);
          kernels.add(
              out.array(), outAt, positionTable.array(), position, out.array(), outAt, width);
        }
        case Ints _ -> throw new IllegalStateException("an embedding of integers");
      }
    }
  }
}
