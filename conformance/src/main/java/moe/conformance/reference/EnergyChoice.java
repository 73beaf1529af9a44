package moe.conformance.reference;

import java.util.Arrays;

/// The experts that `energy-ttt` chooses, token by token in their order: each by `z_e + β_e −
/// λ·ĉ_e`, where ĉ falls once a token of the batch has gone to the expert.
///
/// @param lambda λ
/// @param keepTop1 whether the best expert is kept whatever its energy
/// @param mass the probability at which a token has enough experts; 1 for always `most`
/// @param most the most experts of a token
/// @param first ĉ of the first token of a batch at an expert
/// @param further ĉ of a later one
public record EnergyChoice(
    double lambda, boolean keepTop1, double mass, int most, double first, double further) {
  /// Ids and gates, −1 and 0 where a slot is not used.
  ///
  /// @param logits `[tokens, experts]`
  /// @param bias `[experts]`: β
  public Choice of(double[] logits, double[] bias, int topK) {
    int experts = bias.length;
    int tokens = logits.length / experts;
    int[] ids = new int[tokens * topK];
    Arrays.fill(ids, -1);
    Sums gates = new Sums(ids.length);
    boolean[] read = new boolean[experts];
    for (int t = 0; t < tokens; t++) {
      double[] z = Arrays.copyOfRange(logits, t * experts, (t + 1) * experts);
      double[] probabilities = softmax(z);
      boolean[] taken = new boolean[experts];
      double reached = 0;
      int count = 0;
      while (count < most && (count == 0 || mass == 1 || reached < mass)) {
        int best = -1;
        double score = 0;
        for (int e = 0; e < experts; e++) {
          double energy = lambda * (read[e] ? further : first);
          double mine = keepTop1 && count == 0 ? z[e] : z[e] + bias[e] - energy;
          if (!taken[e] && (best < 0 || mine > score)) {
            best = e;
            score = mine;
          }
        }
        taken[best] = true;
        ids[t * topK + count++] = best;
        reached += probabilities[best];
      }
      gates(z, ids, t * topK, count, gates);
      for (int k = 0; k < count; k++) {
        read[ids[t * topK + k]] = true;
      }
    }
    return new Choice(ids, gates.bounded());
  }

  private static void gates(double[] z, int[] ids, int slot, int count, Sums gates) {
    double max = Double.NEGATIVE_INFINITY;
    for (int k = 0; k < count; k++) {
      max = Math.max(max, z[ids[slot + k]]);
    }
    double sum = 0;
    for (int k = 0; k < count; k++) {
      sum += Math.exp(z[ids[slot + k]] - max);
    }
    for (int k = 0; k < count; k++) {
      double distance = z[ids[slot + k]] - max;
      double gate = Math.exp(distance) / sum;
      gates.add(slot + k, gate, gate * (2 - distance));
    }
  }

  /// `softmax(z)`.
  public static double[] softmax(double[] z) {
    double max = Arrays.stream(z).max().orElseThrow();
    double sum = Arrays.stream(z).map(value -> Math.exp(value - max)).sum();
    return Arrays.stream(z).map(value -> Math.exp(value - max) / sum).toArray();
  }

  /// The gradient of `λ·Σ p̄_e·ĉ_e + μ·KL(p̄ ‖ uniform)` with respect to what is added to all
  /// logits alike, p̄ the mean over tokens of the softmax.
  ///
  /// @param logits `[tokens, experts]`
  /// @param costs `[experts]`: ĉ
  public static Bounded localGradient(
      double[] logits, double[] costs, double lambda, double evenness) {
    int experts = costs.length;
    int tokens = logits.length / experts;
    double[] mean = new double[experts];
    for (int t = 0; t < tokens; t++) {
      double[] p = softmax(Arrays.copyOfRange(logits, t * experts, (t + 1) * experts));
      for (int e = 0; e < experts; e++) {
        mean[e] += p[e] / tokens;
      }
    }
    double[] slope = new double[experts];
    for (int e = 0; e < experts; e++) {
      slope[e] = lambda * costs[e] + evenness * Math.log(experts * mean[e]);
    }
    Sums gradient = new Sums(experts);
    for (int t = 0; t < tokens; t++) {
      double[] p = softmax(Arrays.copyOfRange(logits, t * experts, (t + 1) * experts));
      for (int e = 0; e < experts; e++) {
        gradient.add(e, p[e] * slope[e] / tokens);
        for (int j = 0; j < experts; j++) {
          gradient.add(e, -p[e] * p[j] * slope[j] / tokens);
        }
      }
    }
    return gradient.bounded();
  }
}
