package moe.spi.stage.energy;

/// The gradient of `λ·Σ p̄_e·ĉ_e + μ·KL(p̄ ‖ uniform)` with respect to the fast weights, where p̄
/// is the mean of the softmax over the tokens of a chunk.
///
/// With `g_e = λ·ĉ_e + μ·log(experts·p̄_e)` it is `mean_t p_te·(g_e − Σ_j p_tj·g_j)`, for which
/// sums over tokens suffice: of p, and of its products with itself.
public final class LocalObjective {
  private LocalObjective() {}

  /// Computes it.
  ///
  /// @param tokens of the chunk
  /// @param p `[experts]`: sums over tokens of p
  /// @param products `[experts, experts]`: sums over tokens of p_e·p_j
  /// @param costs `[experts]`: ĉ; overwritten
  /// @param gradient `[experts]`, overwritten
  public static void gradient(
      double tokens,
      double[] p,
      double[] products,
      double[] costs,
      double lambda,
      double mu,
      double[] gradient) {
    int experts = p.length;
    double[] g = costs;
    for (int e = 0; e < experts; e++) {
      // A probability that has underflown weighs nothing below, whatever its logarithm.
      double share = Math.max(p[e] / tokens, Double.MIN_NORMAL);
      g[e] = lambda * costs[e] + mu * Math.log(experts * share);
    }
    for (int e = 0; e < experts; e++) {
      double mean = 0;
      for (int j = 0; j < experts; j++) {
        mean += products[e * experts + j] * g[j];
      }
      gradient[e] = (p[e] * g[e] - mean) / tokens;
    }
  }
}
