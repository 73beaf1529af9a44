package moe.spi.stage.energy;

import java.util.Arrays;

/// Sums over the tokens of a chunk, as floats that a tensor can keep between calls.
public final class RoutingChunk {
  private static final int TOKENS = 0;
  private static final int CHUNKS = 1; // since the last update
  private static final int HEAD = 2;

  private final int experts;
  private final float[] values;
  private final double[] p;
  private final double[] products;
  private final double[] row;
  private final double[] shared;
  private final double[] gradient;
  private final int[] counts;

  /// No tokens of `experts` experts.
  public RoutingChunk(int experts) {
    this.experts = experts;
    this.values = new float[size(experts)];
    this.p = new double[experts];
    this.products = new double[experts * experts];
    this.row = new double[experts];
    this.shared = new double[experts];
    this.gradient = new double[experts];
    this.counts = new int[experts];
  }

  /// How many sums there are.
  public static int size(int experts) {
    return HEAD + 3 * experts + experts * experts;
  }

  /// All sums, as they are kept: tokens, chunks since the last update; by expert: sum of p, tokens
  /// that went there, batches in which some did; sums of the products p_e·p_j.
  public float[] values() {
    return values;
  }

  /// Tokens since they were forgotten.
  public double tokens() {
    return values[TOKENS];
  }

  /// Ends a chunk: true if it is the one after which the fast weights move.
  public boolean end(int every) {
    values[CHUNKS]++;
    return values[CHUNKS] >= every;
  }

  /// Begins to count chunks anew.
  public void forgetChunks() {
    values[CHUNKS] = 0;
  }

  /// Forgets the tokens.
  public void forgetTokens() {
    float chunks = values[CHUNKS];
    Arrays.fill(values, 0f);
    values[CHUNKS] = chunks;
  }

  /// Adds the tokens of a call.
  ///
  /// @param z `[rows, experts]` from `at` on: their logits
  /// @param ids `[slots]` from `idsAt` on: the experts they went to, −1 for none
  public void add(float[] z, int at, int rows, int[] ids, int idsAt, int slots) {
    Arrays.fill(p, 0);
    Arrays.fill(products, 0);
    for (int token = 0; token < rows; token++) {
      softmax(z, at + token * experts);
      for (int e = 0; e < experts; e++) {
        p[e] += row[e];
        for (int j = 0; j < experts; j++) {
          products[e * experts + j] += row[e] * row[j];
        }
      }
    }
    values[TOKENS] += rows;
    Arrays.fill(counts, 0);
    for (int slot = idsAt; slot < idsAt + slots; slot++) {
      if (ids[slot] >= 0) {
        counts[ids[slot]]++;
      }
    }
    for (int e = 0; e < experts; e++) {
      values[HEAD + e] += (float) p[e];
      values[HEAD + experts + e] += counts[e];
      values[HEAD + 2 * experts + e] += counts[e] > 0 ? 1 : 0;
    }
    for (int i = 0; i < products.length; i++) {
      values[HEAD + 3 * experts + i] += (float) products[i];
    }
  }

  private void softmax(float[] z, int at) {
    double max = Double.NEGATIVE_INFINITY;
    for (int e = 0; e < experts; e++) {
      max = Math.max(max, z[at + e]);
    }
    double sum = 0;
    for (int e = 0; e < experts; e++) {
      row[e] = Math.exp(z[at + e] - max);
      sum += row[e];
    }
    for (int e = 0; e < experts; e++) {
      row[e] /= sum;
    }
  }

  /// The gradient of the local objective over the tokens since they were forgotten; overwritten by
  /// the next call.
  public double[] gradient(ExpertCosts costs, EnergySettings settings) {
    for (int e = 0; e < experts; e++) {
      p[e] = values[HEAD + e];
      shared[e] = costs.shared(e, values[HEAD + experts + e], values[HEAD + 2 * experts + e]);
    }
    for (int i = 0; i < products.length; i++) {
      products[i] = values[HEAD + 3 * experts + i];
    }
    LocalObjective.gradient(
        tokens(), p, products, shared, settings.lambda(), settings.evenness(), gradient);
    return gradient;
  }
}
