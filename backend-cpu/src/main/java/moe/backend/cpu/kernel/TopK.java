package moe.backend.cpu.kernel;

/// The best `topK` experts of each token and their gates, `softmax` over the chosen logits: the
/// same as the softmax over all, renormalised. A bias may change which are chosen, never the gates.
///
/// Of equal scores the smaller id is better. NaN is worse than every number, and ids stay in range
/// whatever the logits are; all gates of a row with a NaN are NaN, so that the loss shows it.
public final class TopK extends RowJob {
  private Floats logits = Floats.NONE;
  private Floats bias = Floats.NONE;
  private Ints ids = Ints.NONE;
  private Floats gates = Floats.NONE;
  private int experts;
  private int topK;

  public TopK(CpuThreads threads) {
    super(threads);
  }

  /// Fills `ids [tokens, topK]`, best first, and `gates [tokens, topK]` from `logits [tokens,
  /// experts]`.
  ///
  /// @param bias `[experts]`, added to the logits for the choice
  public void run(
      Floats logits, int tokens, int experts, int topK, Floats bias, Ints ids, Floats gates) {
    this.logits = logits;
    this.bias = bias;
    this.experts = experts;
    this.topK = topK;
    this.ids = ids;
    this.gates = gates;
    runRows(tokens, experts * 4);
  }

  @Override
  void rows(int from, int to) {
    for (int token = from; token < to; token++) {
      int z = logits.at() + token * experts;
      int id = ids.at() + token * topK;
      int numbers = chooseNumbers(z, id);
      if (numbers < topK) {
        chooseNaN(z, id, numbers);
      }
      gates(z, id, gates.at() + token * topK);
    }
  }

  /// Insertion into a sorted list: an equal score never passes an earlier id.
  private int chooseNumbers(int z, int id) {
    int[] best = ids.array();
    int count = 0;
    for (int expert = 0; expert < experts; expert++) {
      float score = score(z, expert);
      boolean full = count == topK;
      if (Float.isNaN(score) || (full && !(score > score(z, best[id + topK - 1])))) {
        continue;
      }
      int place = full ? topK - 1 : count++;
      while (place > 0 && score > score(z, best[id + place - 1])) {
        best[id + place] = best[id + place - 1];
        place--;
      }
      best[id + place] = expert;
    }
    return count;
  }

  private float score(int z, int expert) {
    return logits.array()[z + expert] + bias.get(expert);
  }

  private void chooseNaN(int z, int id, int count) {
    int place = count;
    for (int expert = 0; expert < experts && place < topK; expert++) {
      if (Float.isNaN(score(z, expert))) {
        ids.array()[id + place++] = expert;
      }
    }
  }

  private void gates(int z, int id, int gate) {
    float[] scores = logits.array();
    double max = Double.NEGATIVE_INFINITY; // with a bias the first need not be the largest
    for (int k = 0; k < topK; k++) {
      max = Math.max(max, scores[z + ids.array()[id + k]]);
    }
    double sum = 0;
    for (int k = 0; k < topK; k++) {
      sum += Math.exp(scores[z + ids.array()[id + k]] - max);
    }
    if (hasNaN(z)) {
      sum = Double.NaN;
    }
    for (int k = 0; k < topK; k++) {
      double e = Math.exp(scores[z + ids.array()[id + k]] - max);
      gates.array()[gate + k] = (float) (e / sum);
    }
  }

  private boolean hasNaN(int z) {
    for (int expert = 0; expert < experts; expert++) {
      if (Float.isNaN(logits.array()[z + expert])) {
        return true;
      }
    }
    return false;
  }
}
