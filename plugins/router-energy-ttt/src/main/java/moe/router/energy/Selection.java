package moe.router.energy;

import java.util.Arrays;
import moe.spi.stage.energy.EnergySettings;
import moe.spi.stage.energy.ExpertCosts;

/// Chooses experts by `s_e = z̃_e + β_e − λ·ĉ_e`, token by token in their order, in double
/// precision.
///
/// ĉ of an expert falls once a token of the batch has gone there: so a choice depends on earlier
/// tokens and never on later ones. Of equal scores the smaller id wins; NaN is worse than every
/// number, and makes all gates of its token NaN.
final class Selection {
  private final EnergySettings settings;
  private final ExpertCosts costs;
  private final int experts;
  private final boolean[] read; // by the batch
  private final boolean[] taken; // by the token
  private float[] balance;

  Selection(EnergySettings settings, ExpertCosts costs, int experts) {
    this.settings = settings;
    this.costs = costs;
    this.experts = experts;
    this.read = new boolean[experts];
    this.taken = new boolean[experts];
    this.balance = new float[experts];
  }

  /// Begins a batch.
  ///
  /// @param balance β
  void begin(float[] balance) {
    this.balance = balance;
    Arrays.fill(read, false);
  }

  /// Chooses the experts of the next token.
  ///
  /// @param z its logits, from `at` on, like `ids` and `gates` from `slot` on
  /// @param ids `[topK]`: best first, −1 where none
  /// @param gates `[topK]`: softmax over the logits of the chosen, 0 where none
  void choose(float[] z, int at, int[] ids, float[] gates, int slot, int topK) {
    Arrays.fill(taken, false);
    Arrays.fill(ids, slot, slot + topK, -1);
    Arrays.fill(gates, slot, slot + topK, 0f);
    double max = Double.NEGATIVE_INFINITY;
    boolean hasNaN = false;
    for (int e = 0; e < experts; e++) {
      hasNaN |= Float.isNaN(z[at + e]);
      max = Math.max(max, Float.isNaN(z[at + e]) ? max : z[at + e]);
    }
    double all = settings.varies() ? sum(z, at, max) : 0;
    double reached = 0;
    int count = 0;
    while (count < settings.most()
        && (count == 0 || !settings.varies() || reached < settings.mass() * all)) {
      int best = best(z, at, count == 0 && settings.keepTop1());
      taken[best] = true;
      read[best] = true;
      ids[slot + count++] = best;
      reached += Math.exp(z[at + best] - max);
    }
    gates(z, at, ids, gates, slot, count, hasNaN);
  }

  private double sum(float[] z, int at, double max) {
    double sum = 0;
    for (int e = 0; e < experts; e++) {
      sum += Math.exp(z[at + e] - max);
    }
    return sum;
  }

  private int best(float[] z, int at, boolean raw) {
    int best = -1;
    double most = Double.NaN;
    for (int e = 0; e < experts; e++) {
      if (taken[e]) {
        continue;
      }
      double energy = settings.lambda() == 0 ? 0 : settings.lambda() * costs.next(e, read[e]);
      double score = raw ? z[at + e] : (double) z[at + e] + balance[e] - energy;
      // Written so that a number beats NaN, and the first NaN the others.
      if (best < 0 || score > most || (Double.isNaN(most) && !Double.isNaN(score))) {
        best = e;
        most = score;
      }
    }
    return best;
  }

  private static void gates(
      float[] z, int at, int[] ids, float[] gates, int slot, int count, boolean hasNaN) {
    double max = Double.NEGATIVE_INFINITY;
    for (int k = 0; k < count; k++) {
      max = Math.max(max, z[at + ids[slot + k]]);
    }
    double sum = hasNaN ? Double.NaN : 0;
    for (int k = 0; k < count; k++) {
      sum += Math.exp(z[at + ids[slot + k]] - max);
    }
    for (int k = 0; k < count; k++) {
      gates[slot + k] = (float) (Math.exp(z[at + ids[slot + k]] - max) / sum);
    }
  }
}
