package moe.engine.oracle;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/// A GPT-2, dense or with MoE blocks, on one batch: logits, loss, and the gradients of all weights.
///
/// Nothing here is fast, and nothing is shared with the engine.
public final class Oracle {
  private final OracleSize size;
  private final Weights weights;
  private final Weights gradients;
  private final int[] ids;
  private final int seqLength;
  private final List<double[]> residual = new ArrayList<>();
  private final List<double[]> middle = new ArrayList<>();
  private final double[] normed;
  private final double[] logits;
  private double balance;
  private double zLoss;

  /// Computes forward.
  ///
  /// @param ids `[batch, seqLength]`
  public Oracle(OracleSize size, Weights weights, int[] ids, int seqLength) {
    this.size = size;
    this.weights = weights;
    this.gradients = weights.zeros();
    this.ids = ids.clone();
    this.seqLength = seqLength;
    residual.add(embed());
    for (int l = 0; l < size.layers(); l++) {
      double[] x = residual.getLast();
      double[] qkv = qkv(l).forward(norm(l, 1).forward(x));
      double[] attended = projection(l).forward(new Attention(size, seqLength).forward(qkv));
      middle.add(sum(x, attended));
      double[] n = norm(l, 2).forward(middle.getLast());
      residual.add(
          sum(middle.getLast(), size.experts() == 0 ? dense(l).forward(n) : mixture(l).forward(n)));
    }
    normed = finalNorm().forward(residual.getLast());
    logits = head().forward(normed);
  }

  private double[] embed() {
    int d = size.dModel();
    double[] x = new double[ids.length * d];
    for (int t = 0; t < ids.length; t++) {
      for (int i = 0; i < d; i++) {
        x[t * d + i] =
            weights.get("transformer.wte.weight")[ids[t] * d + i]
                + weights.get("transformer.wpe.weight")[t % seqLength * d + i];
      }
    }
    return x;
  }

  /// `[tokens, vocab]`.
  public double[] logits() {
    return logits.clone();
  }

  /// `[tokens, topK]` of one layer.
  public int[] expertIds(int layer) {
    int d = size.dModel();
    double[] n = norm(layer, 2).forward(middle.get(layer));
    int[] chosen = new int[ids.length * size.topK()];
    for (int t = 0; t < ids.length; t++) {
      int[] best = mixture(layer).choose(Arrays.copyOfRange(n, t * d, (t + 1) * d));
      System.arraycopy(best, 0, chosen, t * size.topK(), size.topK());
    }
    return chosen;
  }

  /// The mean cross-entropy of all positions that have a next token.
  public double loss() {
    double sum = 0;
    for (int t = 0; t < ids.length; t++) {
      if (hasNext(t)) {
        sum -= Math.log(probabilities(t)[ids[t + 1]]);
      }
    }
    return sum / targets();
  }

  private boolean hasNext(int t) {
    return t % seqLength < seqLength - 1;
  }

  private int targets() {
    return ids.length - ids.length / seqLength;
  }

  private double[] probabilities(int t) {
    return Softmax.of(Arrays.copyOfRange(logits, t * size.vocab(), (t + 1) * size.vocab()));
  }

  /// Adds the routers' own terms to the gradients of `backward`.
  public Oracle with(double balanceWeight, double zWeight) {
    this.balance = balanceWeight;
    this.zLoss = zWeight;
    return this;
  }

  /// Balance loss and z-loss, unweighted, summed over layers.
  public double[] terms() {
    double[] sums = new double[2];
    for (int l = 0; l < size.layers(); l++) {
      double[] terms = mixture(l).terms(norm(l, 2).forward(middle.get(l)));
      sums[0] += terms[0];
      sums[1] += terms[1];
    }
    return sums;
  }

  /// The gradients of the loss; computed once.
  public Weights backward() {
    double[] dLogits = new double[logits.length];
    for (int t = 0; t < ids.length; t++) {
      if (hasNext(t)) {
        double[] p = probabilities(t);
        for (int v = 0; v < p.length; v++) {
          dLogits[t * size.vocab() + v] = (p[v] - (v == ids[t + 1] ? 1 : 0)) / targets();
        }
      }
    }
    double[] dX = new double[residual.getLast().length];
    finalNorm().backward(head().backward(dLogits, normed), residual.getLast(), dX);
    for (int l = size.layers() - 1; l >= 0; l--) {
      backward(l, dX);
    }
    int d = size.dModel();
    for (int t = 0; t < ids.length; t++) {
      for (int i = 0; i < d; i++) {
        gradients.get("transformer.wte.weight")[ids[t] * d + i] += dX[t * d + i];
        gradients.get("transformer.wpe.weight")[t % seqLength * d + i] += dX[t * d + i];
      }
    }
    return gradients;
  }

  private void backward(int l, double[] dX) {
    double[] n2 = norm(l, 2).forward(middle.get(l));
    double[] dN2 = size.experts() == 0 ? dense(l).backward(dX, n2) : mixture(l).backward(dX, n2);
    if (balance != 0 || zLoss != 0) {
      dN2 = sum(dN2, mixture(l).termsBackward(balance, zLoss, n2));
    }
    norm(l, 2).backward(dN2, middle.get(l), dX);
    double[] n1 = norm(l, 1).forward(residual.get(l));
    double[] qkv = qkv(l).forward(n1);
    Attention attention = new Attention(size, seqLength);
    double[] dAttended = projection(l).backward(dX, attention.forward(qkv));
    double[] dN1 = qkv(l).backward(attention.backward(dAttended, qkv), n1);
    norm(l, 1).backward(dN1, residual.get(l), dX);
  }

  private Norm norm(int l, int which) {
    return new Norm(weights, gradients, "transformer.h.%d.ln_%d".formatted(l, which));
  }

  private Norm finalNorm() {
    return new Norm(weights, gradients, "transformer.ln_f");
  }

  private Linear qkv(int l) {
    return conv1d(l, "attn.c_attn", size.dModel(), 3 * size.dModel());
  }

  private Linear projection(int l) {
    return conv1d(l, "attn.c_proj", size.dModel(), size.dModel());
  }

  private Linear conv1d(int l, String name, int in, int out) {
    return Linear.conv1d(weights, gradients, "transformer.h.%d.%s".formatted(l, name), in, out);
  }

  private Expert dense(int l) {
    return new Expert(
        conv1d(l, "mlp.c_fc", size.dModel(), size.dHidden()),
        conv1d(l, "mlp.c_proj", size.dHidden(), size.dModel()),
        size.activation());
  }

  private Mixture mixture(int l) {
    return new Mixture(size, weights, gradients, "transformer.h.%d.moe.".formatted(l));
  }

  private Linear head() {
    return Linear.plain(
        weights,
        gradients,
        size.tied() ? "transformer.wte" : "lm_head",
        size.dModel(),
        size.vocab());
  }

  private static double[] sum(double[] a, double[] b) {
    double[] sum = new double[a.length];
    for (int i = 0; i < sum.length; i++) {
      sum[i] = a[i] + b[i];
    }
    return sum;
  }
}
