package moe.backend.cpu.kernel;

import org.jspecify.annotations.Nullable;

/// Rows taken from and given back to their tokens, as assignments `token·topK + k` say.
public final class RoutedRows extends RowJob {
  private enum Kind {
    GATHER,
    SCATTER,
    SCATTER_BACKWARD
  }

  private final RowKernels kernels;
  private Kind kind = Kind.GATHER;
  private Ints assignments = Ints.NONE;
  private @Nullable Floats gates;
  private Floats perToken = Floats.NONE;
  private Floats perRow = Floats.NONE;
  private Floats dRows = Floats.NONE;
  private Floats dGates = Floats.NONE;
  private int topK;
  private int width;

  public RoutedRows(CpuThreads threads, InnerLoops loops) {
    super(threads);
    this.kernels = loops.rows;
  }

  /// Which rows belong to which tokens, with what weight (null: all ones).
  public RoutedRows routing(Ints assignments, int topK, @Nullable Floats gates) {
    this.assignments = assignments;
    this.topK = topK;
    this.gates = gates;
    return this;
  }

  /// `rows[i] = tokens[assignments[i] / topK]`.
  public void gather(Floats tokens, Floats rows, int n, int width) {
    start(Kind.GATHER, tokens, rows, n, width);
  }

  /// `tokens[a / topK] += gates[a]·rows[i]` for `a = assignments[i]`; no two rows have one token.
  public void scatter(Floats rows, Floats tokens, int n, int width) {
    start(Kind.SCATTER, tokens, rows, n, width);
  }

  /// Gradient of `scatter`: `dRows[i] = gates[a]·dTokens[a / topK]`, `dGates[a] = ⟨dTokens[a /
  /// topK], rows[i]⟩`.
  public void scatterBackward(
      Floats dTokens, Floats rows, Floats dRows, Floats dGates, int n, int width) {
    this.dRows = dRows;
    this.dGates = dGates;
    start(Kind.SCATTER_BACKWARD, dTokens, rows, n, width);
  }

  private void start(Kind kind, Floats perToken, Floats perRow, int n, int width) {
    this.kind = kind;
    this.perToken = perToken;
    this.perRow = perRow;
    this.width = width;
    runRows(n, width);
  }

  @Override
  void rows(int from, int to) {
    for (int row = from; row < to; row++) {
      int a = assignments.get(row);
      int tokenAt = perToken.at() + a / topK * width;
      int rowAt = perRow.at() + row * width;
      switch (kind) {
        case GATHER -> System.arraycopy(perToken.array(), tokenAt, perRow.array(), rowAt, width);
        case SCATTER ->
            kernels.axpy(gate(a), perRow.array(), rowAt, perToken.array(), tokenAt, width);
        case SCATTER_BACKWARD -> {
          dGates.array()[dGates.at() + a] =
              kernels.dot(perToken.array(), tokenAt, perRow.array(), rowAt, width);
          int dRowAt = dRows.at() + row * width;
          kernels.scale(gate(a), perToken.array(), tokenAt, dRows.array(), dRowAt, width);
        }
      }
    }
  }

  private float gate(int assignment) {
    return gates == null ? 1 : gates.array()[gates.at() + assignment];
  }
}
