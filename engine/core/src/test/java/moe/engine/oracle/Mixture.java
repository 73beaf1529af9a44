package moe.engine.oracle;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.stream.IntStream;

/// A MoE block, token by token: softmax over all experts, the best topK, renormalised.
final class Mixture {
  private final int dModel;
  private final int topK;
  private final Linear router;
  private final List<Expert> experts = new ArrayList<>();

  Mixture(OracleSize size, Weights weights, Weights gradients, String prefix) {
    this.dModel = size.dModel();
    this.topK = size.topK();
    this.router = Linear.stacked(weights, gradients, prefix + "router", dModel, size.experts(), 0);
    for (int e = 0; e < size.experts(); e++) {
      experts.add(
          new Expert(
              Linear.stacked(weights, gradients, prefix + "experts.up", dModel, size.dHidden(), e),
              Linear.stacked(
                  weights, gradients, prefix + "experts.down", size.dHidden(), dModel, e),
              size.activation()));
    }
  }

  /// The chosen experts of a token, the best first.
  int[] choose(double[] token) {
    double[] p = Softmax.of(router.forward(token));
    return IntStream.range(0, p.length)
        .boxed()
        .sorted(Comparator.comparingDouble((Integer e) -> -p[e]).thenComparing(e -> e))
        .limit(topK)
        .mapToInt(Integer::intValue)
        .toArray();
  }

  double[] forward(double[] x) {
    double[] y = new double[x.length];
    for (int at = 0; at < x.length; at += dModel) {
      double[] token = Arrays.copyOfRange(x, at, at + dModel);
      double[] p = Softmax.of(router.forward(token));
      int[] chosen = choose(token);
      double total = Arrays.stream(chosen).mapToDouble(e -> p[e]).sum();
      for (int e : chosen) {
        double[] part = experts.get(e).forward(token);
        for (int i = 0; i < dModel; i++) {
          y[at + i] += p[e] / total * part[i];
        }
      }
    }
    return y;
  }

  double[] backward(double[] dY, double[] x) {
    double[] dX = new double[x.length];
    for (int at = 0; at < x.length; at += dModel) {
      double[] token = Arrays.copyOfRange(x, at, at + dModel);
      double[] dToken = backwardOne(Arrays.copyOfRange(dY, at, at + dModel), token);
      System.arraycopy(dToken, 0, dX, at, dModel);
    }
    return dX;
  }

  private double[] backwardOne(double[] dY, double[] token) {
    double[] p = Softmax.of(router.forward(token));
    int[] chosen = choose(token);
    double total = Arrays.stream(chosen).mapToDouble(e -> p[e]).sum();
    double[] dToken = new double[dModel];
    double[] dGate = new double[p.length];
    double mean = 0;
    for (int e : chosen) {
      double[] part = experts.get(e).forward(token);
      double[] dPart = new double[dModel];
      for (int i = 0; i < dModel; i++) {
        dGate[e] += dY[i] * part[i];
        dPart[i] = dY[i] * p[e] / total;
      }
      mean += p[e] / total * dGate[e];
      add(experts.get(e).backward(dPart, token), dToken);
    }
    // gate = p / Σ p of the chosen, then the softmax over all.
    double[] dP = new double[p.length];
    double inner = 0;
    for (int e : chosen) {
      dP[e] = (dGate[e] - mean) / total;
      inner += p[e] * dP[e];
    }
    double[] dLogits = new double[p.length];
    for (int e = 0; e < p.length; e++) {
      dLogits[e] = p[e] * (dP[e] - inner);
    }
    add(router.backward(dLogits, token), dToken);
    return dToken;
  }

  /// Balance loss and z-loss over all tokens, unweighted.
  double[] terms(double[] x) {
    int tokens = x.length / dModel;
    double[] share = shares(x);
    double even = 0;
    double squares = 0;
    for (int t = 0; t < tokens; t++) {
      double[] z = router.forward(token(x, t));
      double[] p = Softmax.of(z);
      for (int e = 0; e < p.length; e++) {
        even += p.length * share[e] * p[e] / tokens;
      }
      squares += Math.pow(Softmax.logSum(z), 2) / tokens;
    }
    return new double[] {even, squares};
  }

  /// The gradient of `x` from the weighted terms; adds to those of the router.
  double[] termsBackward(double balance, double zLoss, double[] x) {
    int tokens = x.length / dModel;
    double[] share = shares(x);
    double[] dX = new double[x.length];
    for (int t = 0; t < tokens; t++) {
      double[] z = router.forward(token(x, t));
      double[] p = Softmax.of(z);
      double[] dP = new double[p.length];
      double inner = 0;
      for (int e = 0; e < p.length; e++) {
        dP[e] = balance * p.length * share[e] / tokens;
        inner += p[e] * dP[e];
      }
      double[] dZ = new double[p.length];
      for (int e = 0; e < p.length; e++) {
        // Through the softmax, and of log Σ e^z, whose gradient is p.
        dZ[e] = p[e] * (dP[e] - inner) + zLoss * 2 * Softmax.logSum(z) * p[e] / tokens;
      }
      System.arraycopy(router.backward(dZ, token(x, t)), 0, dX, t * dModel, dModel);
    }
    return dX;
  }

  private double[] shares(double[] x) {
    int tokens = x.length / dModel;
    double[] share = new double[experts.size()];
    for (int t = 0; t < tokens; t++) {
      for (int e : choose(token(x, t))) {
        share[e] += 1.0 / (tokens * topK);
      }
    }
    return share;
  }

  private double[] token(double[] x, int t) {
    return Arrays.copyOfRange(x, t * dModel, (t + 1) * dModel);
  }

  private static void add(double[] from, double[] to) {
    for (int i = 0; i < to.length; i++) {
      to[i] += from[i];
    }
  }
}
