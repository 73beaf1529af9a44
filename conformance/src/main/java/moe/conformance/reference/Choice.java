package moe.conformance.reference;

import java.util.Arrays;

/// The best `topK` logits of each token and the softmax over these.
///
/// @param ids `[tokens, topK]`, best first, of equals the smaller id
/// @param gates `[tokens, topK]`
@SuppressWarnings("ArrayRecordComponent") // for plain loops; never compared
public record Choice(int[] ids, Bounded gates) {
  /// The choice among these logits.
  ///
  /// @param logits `[tokens, experts]`
  /// @param bias `[experts]`, added for the choice alone
  public static Choice of(double[] logits, double[] bias, int experts, int topK) {
    int tokens = logits.length / experts;
    int[] ids = new int[tokens * topK];
    Sums gates = new Sums(ids.length);
    boolean[] taken = new boolean[experts];
    for (int t = 0; t < tokens; t++) {
      Arrays.fill(taken, false);
      double max = Double.NEGATIVE_INFINITY;
      for (int k = 0; k < topK; k++) {
        int best = -1;
        for (int e = 0; e < experts; e++) {
          double score = logits[t * experts + e] + bias[e];
          if (!taken[e] && (best < 0 || score > logits[t * experts + best] + bias[best])) {
            best = e;
          }
        }
        taken[best] = true;
        ids[t * topK + k] = best;
        max = Math.max(max, logits[t * experts + best]);
      }
      double sum = 0;
      for (int k = 0; k < topK; k++) {
        sum += Math.exp(logits[t * experts + ids[t * topK + k]] - max);
      }
      for (int k = 0; k < topK; k++) {
        double distance = logits[t * experts + ids[t * topK + k]] - max;
        double gate = Math.exp(distance) / sum;
        gates.add(t * topK + k, gate, gate * (2 - distance));
      }
    }
    return new Choice(ids, gates.bounded());
  }

  /// The softmax over the logits of experts already chosen.
  public static double[] gates(double[] logits, int[] ids, int experts, int topK) {
    double[] gates = new double[ids.length];
    for (int first = 0; first < ids.length; first += topK) {
      double sum = 0;
      for (int slot = first; slot < first + topK; slot++) {
        gates[slot] = Math.exp(logits[slot / topK * experts + ids[slot]]);
        sum += gates[slot];
      }
      for (int slot = first; slot < first + topK; slot++) {
        gates[slot] /= sum;
      }
    }
    return gates;
  }

  /// The gradient of the chosen logits, `g_k·(d_k − Σ g_j·d_j)`; 0 for an unused slot.
  public static Bounded backward(int[] ids, double[] gates, double[] dGates, int topK) {
    Sums dLogits = new Sums(ids.length);
    for (int slot = 0; slot < ids.length; slot++) {
      if (ids[slot] >= 0) {
        dLogits.add(slot, gates[slot] * dGates[slot]);
        int first = slot / topK * topK;
        for (int other = first; other < first + topK; other++) {
          if (ids[other] >= 0) {
            dLogits.add(slot, -gates[slot] * gates[other] * dGates[other]);
          }
        }
      }
    }
    return dLogits.bounded();
  }
}
