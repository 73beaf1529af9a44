package moe.engine.oracle;

/// AdamW in double precision: decay on weights, none on biases and norms.
public final class OracleAdamW {
  private final Weights weights;
  private final Weights first;
  private final Weights second;
  private int step;

  public OracleAdamW(Weights weights) {
    this.weights = weights;
    this.first = weights.zeros();
    this.second = weights.zeros();
  }

  public void step(Weights gradients, double rate, double beta1, double beta2, double decay) {
    step++;
    for (String name : weights.names()) {
      boolean decayed = name.endsWith(".weight") && !name.contains(".ln_");
      double[] w = weights.get(name);
      double[] g = gradients.get(name);
      double[] m = first.get(name);
      double[] v = second.get(name);
      for (int i = 0; i < w.length; i++) {
        m[i] = beta1 * m[i] + (1 - beta1) * g[i];
        v[i] = beta2 * v[i] + (1 - beta2) * g[i] * g[i];
        double meanHat = m[i] / (1 - Math.pow(beta1, step));
        double squareHat = v[i] / (1 - Math.pow(beta2, step));
        w[i] -= rate * ((decayed ? decay : 0) * w[i] + meanHat / (Math.sqrt(squareHat) + 1e-8));
      }
    }
  }
}
