package moe.backend.cpu.kernel;

import java.util.Arrays;

/// A router's balance loss and z-loss with the gradient of its logits.
///
/// With `p = softmax(z)`, `l = log Σ e^z`, shares `f`, `a = weight·experts/tokens` of the balance
/// loss and `b = 2·weight/tokens` of the z-loss: `dz_e = p_e·(a·(f_e − Σ f·p) + b·l)`. A row is
/// short and its terms nearly cancel, so it is taken in double precision.
public final class AuxiliaryTerms extends RowJob {
  private final Floats share; // [experts]: f
  private final Ints counts; // [experts]
  private final Floats perToken; // [tokens, 2]: Σ f·p, l²
  private Floats logits = Floats.NONE;
  private Floats dLogits = Floats.NONE;
  private int experts;
  private double a;
  private double b;

  /// @param share `[experts]`, like `counts`, for this kernel alone
  /// @param perToken `[tokens, 2]` of the largest call, for this kernel alone
  public AuxiliaryTerms(CpuThreads threads, Floats share, Ints counts, Floats perToken) {
    super(threads);
    this.share = share;
    this.counts = counts;
    this.perToken = perToken;
  }

  /// Counts where the tokens went; before `run`.
  ///
  /// @param ids `[slots]`, −1 for an unused slot
  public AuxiliaryTerms load(Ints ids, int slots, int experts) {
    this.experts = experts;
    int[] count = counts.array();
    Arrays.fill(count, counts.at(), counts.at() + experts, 0);
    int used = 0;
    for (int slot = 0; slot < slots; slot++) {
      int expert = ids.get(slot);
      if (expert >= 0) {
        count[counts.at() + expert]++;
        used++;
      }
    }
    for (int expert = 0; expert < experts; expert++) {
      share.array()[share.at() + expert] = (float) counts.get(expert) / Math.max(1, used);
    }
    return this;
  }

  /// Fills `losses [2]`, balance and z, each times its weight, and `dLogits [tokens, experts]`.
  public void run(
      Floats logits, int tokens, float balance, float z, Floats losses, Floats dLogits) {
    this.logits = logits;
    this.dLogits = dLogits;
    this.a = (double) balance * experts / tokens;
    this.b = 2.0 * z / tokens;
    runRows(tokens, 16 * experts);
    double even = 0;
    double square = 0;
    for (int token = 0; token < tokens; token++) { // in their order, whoever computed them
      even += perToken.get(2 * token);
      square += perToken.get(2 * token + 1);
    }
    losses.array()[losses.at()] = tokens == 0 ? 0 : (float) (balance * experts * even / tokens);
    losses.array()[losses.at() + 1] = tokens == 0 ? 0 : (float) (z * square / tokens);
  }

  @Override
  void rows(int from, int to) {
    float[] f = share.array();
    float[] d = dLogits.array();
    for (int token = from; token < to; token++) {
      int at = token * experts;
      double logSum = logSum(at);
      double mean = 0;
      for (int e = 0; e < experts; e++) {
        double p = Math.exp(logits.get(at + e) - logSum);
        mean += f[share.at() + e] * p;
      }
      for (int e = 0; e < experts; e++) {
        double p = Math.exp(logits.get(at + e) - logSum);
        d[dLogits.at() + at + e] = (float) (p * (a * (f[share.at() + e] - mean) + b * logSum));
      }
      perToken.array()[perToken.at() + 2 * token] = (float) mean;
      perToken.array()[perToken.at() + 2 * token + 1] = (float) (logSum * logSum);
    }
  }

  private double logSum(int at) {
    double max = Double.NEGATIVE_INFINITY;
    for (int e = 0; e < experts; e++) {
      max = Math.max(max, logits.get(at + e));
    }
    double sum = 0;
    for (int e = 0; e < experts; e++) {
      sum += Math.exp(logits.get(at + e) - max);
    }
    return max + Math.log(sum);
  }
}
