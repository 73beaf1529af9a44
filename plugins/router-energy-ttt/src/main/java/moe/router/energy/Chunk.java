package moe.router.energy;

import java.util.Arrays;

/// Sums over the tokens of a chunk, as floats that a tensor can keep between calls.
final class Chunk {
  private static final int TOKENS = 0;
  private static final int CHUNKS = 1; // since the last update
  private static final int HEAD = 2;

  private final int experts;
  private final float[] values;
  private final double[] p;
  private final double[] products;
  private final double[] row;

  Chunk(int experts) {
    this.experts = experts;
    this.values = new float[HEAD + 3 * experts + experts * experts];
    this.p = new double[experts];
    this.products = new double[experts * experts];
    this.row = new double[experts];
  }

  float[] values() {
    return values;
  }

  double tokens() {
    return values[TOKENS];
  }

  /// Ends a chunk: true if it is the one after which the fast weights move.
  boolean end(int every) {
    values[CHUNKS]++;
    return values[CHUNKS] >= every;
  }

  void forgetChunks() {
    values[CHUNKS] = 0;
  }

  /// Forgets the tokens.
  void forgetTokens() {
    float chunks = values[CHUNKS];
    Arrays.fill(values, 0f);
    values[CHUNKS] = chunks;
  }

  /// Adds the tokens of a call.
  ///
  /// @param z `[rows, experts]`: their logits
  /// @param ids the experts they went to, −1 for none
  void add(float[] z, int rows, int[] ids, int slots) {
    Arrays.fill(p, 0);
    Arrays.fill(products, 0);
    for (int token = 0; token < rows; token++) {
      softmax(z, token * experts);
      for (int e = 0; e < experts; e++) {
        p[e] += row[e];
        for (int j = 0; j < experts; j++) {
          products[e * experts + j] += row[e] * row[j];
        }
      }
    }
    values[TOKENS] += rows;
    int[] counts = new int[experts];
    for (int slot = 0; slot < slots; slot++) {
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

  /// The gradient of the local objective over the tokens since they were forgotten.
  double[] gradient(ExpertCosts costs, Settings settings) {
    double[] shared = new double[experts];
    for (int e = 0; e < experts; e++) {
      p[e] = values[HEAD + e];
      shared[e] = costs.shared(e, values[HEAD + experts + e], values[HEAD + 2 * experts + e]);
    }
    for (int i = 0; i < products.length; i++) {
      products[i] = values[HEAD + 3 * experts + i];
    }
    return LocalObjective.gradient(
        tokens(), p, products, shared, settings.lambda(), settings.evenness());
  }
}
