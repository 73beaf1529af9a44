package moe.backend.cpu.kernel;

import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/// Softmax and cross-entropy of each row, and its gradient in the same pass: the largest logit,
/// then the exponentials written where the gradient goes, then their scale.
public final class CrossEntropy extends RowJob {
  private final RowKernels kernels;
  private Floats logits = Floats.NONE;
  private Ints targets = Ints.NONE;
  private Floats losses = Floats.NONE;
  private @Nullable Floats dLogits;
  private float gradientScale;
  private int vocab;

  public CrossEntropy(CpuThreads threads, InnerLoops loops) {
    super(threads);
    this.kernels = loops.rows;
  }

  /// Where the gradient `[rows, vocab]` goes, which may be the logits, and its factor; null if not
  /// needed.
  public CrossEntropy gradient(@Nullable Floats dLogits, float scale) {
    this.dLogits = dLogits;
    this.gradientScale = scale;
    return this;
  }

  /// Fills `losses [rows]` from `logits [rows, vocab]` and `targets [rows]`, a negative one meaning
  /// masked.
  public void run(Floats logits, Ints targets, Floats losses, int rows, int vocab) {
    this.logits = logits;
    this.targets = targets;
    this.losses = losses;
    this.vocab = vocab;
    runRows(rows, vocab);
  }

  @Override
  void rows(int from, int to) {
    for (int row = from; row < to; row++) {
      int target = targets.get(row);
      losses.array()[losses.at() + row] = target < 0 ? masked(row) : loss(row, target);
    }
  }

  private float masked(int row) {
    if (dLogits != null) {
      int at = dLogits.at() + row * vocab;
      Arrays.fill(dLogits.array(), at, at + vocab, 0f);
    }
    return 0;
  }

  private float loss(int row, int target) {
    float[] x = logits.array();
    int at = logits.at() + row * vocab;
    float correct = x[at + target];
    if (dLogits == null) {
      float max = kernels.max(x, at, vocab);
      return max - correct + (float) Math.log(kernels.sumExp(x, at, max, vocab));
    }
    float[] d = dLogits.array();
    int dAt = dLogits.at() + row * vocab;
    int lossAt = losses.at() + row;
    float sum =
        kernels.expBelowMax(x, at, Float.NEGATIVE_INFINITY, d, dAt, vocab, losses.array(), lossAt);
    kernels.scale(gradientScale / sum, d, dAt, d, dAt, vocab);
    d[dAt + target] -= gradientScale;
    return losses.array()[lossAt] - correct + (float) Math.log(sum);
  }
}
