package moe.backend.cpu.kernel;

/// Gradient of a linear router through `TopK`. With gates `g` and their gradients `d`, the logit of
/// a chosen expert has the gradient `g_k·Σ g_j·(d_k − d_j)`, every other logit 0: so only the rows
/// of chosen experts are touched. As gates add up to 1 that is `g_k·(d_k − Σ g_j·d_j)`, which loses
/// its digits where one gate is nearly 1.
///
/// Tokens are cut for their own gradient, columns for the weights', so that each sum over tokens is
/// taken by one thread in their order.
public final class TopKBackward {
  private final CpuThreads threads;
  private final Tokens perToken;
  private final Columns perColumn;

  public TopKBackward(CpuThreads threads, InnerLoops loops) {
    this.threads = threads;
    this.perToken = new Tokens(threads, loops.rows);
    this.perColumn = new Columns(loops.rows);
  }

  /// The gradients of the chosen logits `[tokens, topK]`, 0 for an unused slot.
  public void logits(Ints ids, Floats gates, Floats dGates, int tokens, int topK, Floats dLogits) {
    for (int token = 0; token < tokens; token++) {
      int at = token * topK;
      for (int k = 0; k < topK; k++) {
        double sum = 0;
        for (int j = 0; j < topK && ids.get(at + k) >= 0; j++) {
          if (ids.get(at + j) >= 0) {
            sum += gates.get(at + j) * ((double) dGates.get(at + k) - dGates.get(at + j));
          }
        }
        dLogits.array()[dLogits.at() + at + k] = (float) (gates.get(at + k) * sum);
      }
    }
  }

  /// Adds to `dTokens [tokens, width]`.
  ///
  /// @param weight `[experts, width]`
  public void tokens(
      Ints ids, Floats dLogits, Floats weight, int tokens, int topK, int width, Floats dTokens) {
    perToken.ids = ids;
    perToken.dLogits = dLogits;
    perToken.weight = weight;
    perToken.topK = topK;
    perToken.width = width;
    perToken.dTokens = dTokens;
    perToken.runRows(tokens, topK * width);
  }

  /// Adds to `dWeight [experts, width]`.
  ///
  /// @param x `[tokens, width]`
  public void weight(
      Ints ids, Floats dLogits, Floats x, int tokens, int topK, int width, Floats dWeight) {
    perColumn.ids = ids;
    perColumn.dLogits = dLogits;
    perColumn.x = x;
    perColumn.tokens = tokens;
    perColumn.topK = topK;
    perColumn.width = width;
    perColumn.dWeight = dWeight;
    threads.run(Math.ceilDiv(width, Columns.PER_TASK), perColumn);
  }

  /// Adds to `dBias [experts]`.
  public void bias(Ints ids, Floats dLogits, int tokens, int topK, Floats dBias) {
    for (int slot = 0; slot < tokens * topK; slot++) {
      int expert = ids.get(slot);
      if (expert >= 0) {
        dBias.array()[dBias.at() + expert] += dLogits.get(slot);
      }
    }
  }

  private static final class Tokens extends RowJob {
    final RowKernels kernels;
    Ints ids = Ints.NONE;
    Floats dLogits = Floats.NONE;
    Floats weight = Floats.NONE;
    Floats dTokens = Floats.NONE;
    int topK;
    int width;

    Tokens(CpuThreads threads, RowKernels kernels) {
      super(threads);
      this.kernels = kernels;
    }

    @Override
    void rows(int from, int to) {
      for (int slot = from * topK; slot < to * topK; slot++) {
        int expert = ids.get(slot);
        if (expert >= 0) {
          int weightAt = weight.at() + expert * width;
          int at = dTokens.at() + slot / topK * width;
          kernels.axpy(dLogits.get(slot), weight.array(), weightAt, dTokens.array(), at, width);
        }
      }
    }
  }

  private static final class Columns implements CpuThreads.Job {
    static final int PER_TASK = 64;

    final RowKernels kernels;
    Ints ids = Ints.NONE;
    Floats dLogits = Floats.NONE;
    Floats x = Floats.NONE;
    Floats dWeight = Floats.NONE;
    int tokens;
    int topK;
    int width;

    Columns(RowKernels kernels) {
      this.kernels = kernels;
    }

    @Override
    public void run(int index) {
      int from = index * PER_TASK;
      int n = Math.min(width - from, PER_TASK);
      for (int slot = 0; slot < tokens * topK; slot++) {
        int expert = ids.get(slot);
        if (expert >= 0) {
          int xAt = x.at() + slot / topK * width + from;
          int at = dWeight.at() + expert * width + from;
          kernels.axpy(dLogits.get(slot), x.array(), xAt, dWeight.array(), at, n);
        }
      }
    }
  }
}
