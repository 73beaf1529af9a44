package moe.router.energy;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.stream.IntStream;

/// The formulas of the router, written down once more, in double precision and without regard to
/// speed.
final class Formula {
  private final double lambda;
  private final boolean keepTop1;
  private final double p;
  private final int most;
  private final double[] beta;
  private final double[][] cost;

  /// @param cost `[experts, 2]`: joules of one more token, first where the expert was not read yet
  Formula(double lambda, boolean keepTop1, double p, int most, double[] beta, double[][] cost) {
    this.lambda = lambda;
    this.keepTop1 = keepTop1;
    this.p = p;
    this.most = most;
    this.beta = beta;
    this.cost = cost;
  }

  /// The experts of each token, best first.
  ///
  /// @param z `[tokens][experts]`
  List<List<Integer>> choose(double[][] z) {
    double mean = Arrays.stream(cost).mapToDouble(c -> c[0]).average().orElseThrow();
    List<Integer> read = new ArrayList<>();
    List<List<Integer>> all = new ArrayList<>();
    for (double[] logits : z) {
      List<Integer> chosen = new ArrayList<>();
      double[] probability = softmax(logits);
      while (chosen.size() < most
          && chosen.stream().mapToDouble(e -> probability[e]).sum() < (p < 1 ? p : 2)) {
        boolean raw = keepTop1 && chosen.isEmpty();
        int best =
            IntStream.range(0, logits.length)
                .filter(e -> !chosen.contains(e))
                .boxed()
                .max(
                    Comparator.comparingDouble((Integer e) ->
                            raw
                                ? logits[e]
                                : logits[e]
                                    + beta[e]
                                    - lambda * cost[e][read.contains(e) ? 1 : 0] / mean)
                        .thenComparing(Comparator.reverseOrder()))
                .orElseThrow();
        chosen.add(best);
        read.add(best);
      }
      all.add(chosen);
    }
    return all;
  }

  static double[] softmax(double[] z) {
    double max = Arrays.stream(z).max().orElseThrow();
    double sum = Arrays.stream(z).map(v -> Math.exp(v - max)).sum();
    return Arrays.stream(z).map(v -> Math.exp(v - max) / sum).toArray();
  }

  /// `λ·Σ p̄_e·ĉ_e + μ·KL(p̄ ‖ uniform)` for tokens with these logits, δ added.
  static double local(double[][] z, double[] delta, double[] costs, double lambda, double mu) {
    double[] mean = new double[delta.length];
    for (double[] row : z) {
      double[] p =
          softmax(IntStream.range(0, row.length).mapToDouble(e -> row[e] + delta[e]).toArray());
      for (int e = 0; e < p.length; e++) {
        mean[e] += p[e] / z.length;
      }
    }
    double value = 0;
    for (int e = 0; e < mean.length; e++) {
      value += lambda * mean[e] * costs[e] + mu * mean[e] * Math.log(mean[e] * mean.length);
    }
    return value;
  }

  static double[][] rows(double[] z, int experts) {
    return IntStream.range(0, z.length / experts)
        .mapToObj(t -> Arrays.copyOfRange(z, t * experts, (t + 1) * experts))
        .toArray(double[][]::new);
  }
}
