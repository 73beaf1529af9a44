package moe.backend.cpu.kernel;

import moe.spi.stage.energy.EnergySettings;
import moe.spi.stage.energy.ExpertCosts;

/// The experts of each token by `s_e = z_e + β_e − λ·ĉ_e`, in double precision, and their gates.
///
/// ĉ falls once a token of the batch has gone to an expert, so tokens choose in their order until
/// all experts are read; the others no longer depend on each other. Of equal scores the smaller id
/// is better, NaN is worse than every number, and all gates of a row with a NaN are NaN.
public final class EnergyChoice extends RowJob {
  private final EnergySettings settings;
  private final int experts;
  private final int topK;
  private final double[] energy; // [experts]: λ·ĉ as it is now
  private final boolean[] read; // [experts]
  private Floats logits = Floats.NONE;
  private Floats bias = Floats.NONE;
  private Ints ids = Ints.NONE;
  private Floats gates = Floats.NONE;
  private int start; // the first token that is chosen for in parallel

  public EnergyChoice(CpuThreads threads, EnergySettings settings, int experts, int topK) {
    super(threads);
    this.settings = settings;
    this.experts = experts;
    this.topK = topK;
    this.energy = new double[experts];
    this.read = new boolean[experts];
  }

  /// Fills `ids [tokens, topK]`, best first, −1 where none, and `gates [tokens, topK]`.
  ///
  /// @param logits `[tokens, experts]`
  /// @param bias `[experts]`: β
  public void run(
      Floats logits, int tokens, ExpertCosts costs, Floats bias, Ints ids, Floats gates) {
    this.logits = logits;
    this.bias = bias;
    this.ids = ids;
    this.gates = gates;
    int unread = settings.lambda() == 0 ? 0 : experts;
    for (int e = 0; e < experts; e++) {
      read[e] = false;
      energy[e] = unread == 0 ? 0 : settings.lambda() * costs.next(e, false);
    }
    start = 0;
    while (start < tokens && unread > 0) {
      choose(start);
      int id = ids.at() + start * topK;
      for (int k = 0; k < topK && ids.array()[id + k] >= 0; k++) {
        int expert = ids.array()[id + k];
        if (!read[expert]) {
          read[expert] = true;
          energy[expert] = settings.lambda() * costs.next(expert, true);
          unread--;
        }
      }
      start++;
    }
    runRows(tokens - start, experts * 8);
  }

  @Override
  void rows(int from, int to) {
    for (int token = start + from; token < start + to; token++) {
      choose(token);
    }
  }

  private void choose(int token) {
    int z = logits.at() + token * experts;
    int id = ids.at() + token * topK;
    int[] best = ids.array();
    int kept = settings.keepTop1() ? 1 : 0;
    if (kept == 1) {
      best[id] = largest(z);
    }
    int count = rank(z, id, kept);
    for (int expert = 0; expert < experts && count < settings.most(); expert++) {
      if (Float.isNaN(logits.array()[z + expert]) && !(kept == 1 && best[id] == expert)) {
        best[id + count++] = expert;
      }
    }
    if (settings.varies()) {
      count = enough(z, id, count);
    }
    gates(z, id, gates.at() + token * topK, count);
    for (int k = count; k < topK; k++) {
      best[id + k] = -1;
      gates.array()[gates.at() + token * topK + k] = 0;
    }
  }

  private int largest(int z) {
    float[] scores = logits.array();
    int largest = 0;
    for (int expert = 1; expert < experts; expert++) {
      float score = scores[z + expert];
      float most = scores[z + largest];
      if (score > most || (Float.isNaN(most) && !Float.isNaN(score))) {
        largest = expert;
      }
    }
    return largest;
  }

  private double score(int z, int expert) {
    return (double) logits.array()[z + expert] + bias.get(expert) - energy[expert];
  }

  /// Sorts the best into the places behind those kept; an equal score never passes an earlier id.
  private int rank(int z, int id, int kept) {
    int[] best = ids.array();
    int most = settings.most();
    int count = kept;
    for (int expert = 0; expert < experts; expert++) {
      double score = score(z, expert);
      if (Double.isNaN(score) || (kept == 1 && best[id] == expert)) {
        continue;
      }
      boolean full = count == most;
      if (full && (count == kept || !(score > score(z, best[id + most - 1])))) {
        continue;
      }
      int place = full ? most - 1 : count++;
      while (place > kept && score > score(z, best[id + place - 1])) {
        best[id + place] = best[id + place - 1];
        place--;
      }
      best[id + place] = expert;
    }
    return count;
  }

  /// How many of the chosen reach the mass that is asked for.
  private int enough(int z, int id, int count) {
    float[] scores = logits.array();
    double max = Double.NEGATIVE_INFINITY;
    for (int e = 0; e < experts; e++) {
      max = Math.max(max, Float.isNaN(scores[z + e]) ? max : scores[z + e]);
    }
    double all = 0;
    for (int e = 0; e < experts; e++) {
      all += Math.exp(scores[z + e] - max);
    }
    double reached = 0;
    int enough = 0;
    while (enough < count && (enough == 0 || reached < settings.mass() * all)) {
      reached += Math.exp(scores[z + ids.array()[id + enough++]] - max);
    }
    return enough;
  }

  private void gates(int z, int id, int gate, int count) {
    float[] scores = logits.array();
    double max = Double.NEGATIVE_INFINITY;
    for (int k = 0; k < count; k++) {
      max = Math.max(max, scores[z + ids.array()[id + k]]);
    }
    double sum = 0;
    for (int k = 0; k < count; k++) {
      sum += Math.exp(scores[z + ids.array()[id + k]] - max);
    }
    for (int e = 0; e < experts; e++) {
      sum = Float.isNaN(scores[z + e]) ? Double.NaN : sum;
    }
    for (int k = 0; k < count; k++) {
      gates.array()[gate + k] = (float) (Math.exp(scores[z + ids.array()[id + k]] - max) / sum);
    }
  }
}
