package moe.backend.cpu.kernel;

import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/// `out[t] = Σ_k gates[t, k]·rows[positions[t, k]]`, in the order of k: experts' rows brought back
/// to their tokens.
public final class GatherSum extends RowJob {
  private final RowKernels kernels;
  private Floats rows = Floats.NONE;
  private Ints positions = Ints.NONE;
  private @Nullable Floats gates;
  private Floats out = Floats.NONE;
  private boolean accumulates;
  private int topK;
  private int width;

  public GatherSum(CpuThreads threads, InnerLoops loops) {
    super(threads);
    this.kernels = loops.rows;
  }

  /// Where the rows of each token are: `positions [tokens, topK]`, −1 for none, and `rows [slots,
  /// width]`.
  public GatherSum rows(Floats rows, Ints positions, int topK, int width) {
    this.rows = rows;
    this.positions = positions;
    this.topK = topK;
    this.width = width;
    return this;
  }

  /// Fills `out [tokens, width]`.
  public void weighted(Floats gates, Floats out, int tokens) {
    start(gates, false, out, tokens);
  }

  /// Adds the plain sums to `out [tokens, width]`.
  public void add(Floats out, int tokens) {
    start(null, true, out, tokens);
  }

  private void start(@Nullable Floats gates, boolean accumulates, Floats out, int tokens) {
    this.gates = gates;
    this.accumulates = accumulates;
    this.out = out;
    runRows(tokens, topK * width);
  }

  @Override
  void rows(int from, int to) {
    for (int token = from; token < to; token++) {
      int outAt = out.at() + token * width;
      boolean begun = accumulates;
      for (int slot = token * topK; slot < (token + 1) * topK; slot++) {
        int position = positions.get(slot);
        if (position < 0) {
          continue;
        }
        float gate = gates == null ? 1 : gates.get(slot);
        int rowAt = rows.at() + position * width;
        if (begun) {
          kernels.axpy(gate, rows.array(), rowAt, out.array(), outAt, width);
        } else {
          kernels.scale(gate, rows.array(), rowAt, out.array(), outAt, width);
          begun = true;
        }
      }
      if (!begun) {
        Arrays.fill(out.array(), outAt, outAt + width, 0f);
      }
    }
  }
}
