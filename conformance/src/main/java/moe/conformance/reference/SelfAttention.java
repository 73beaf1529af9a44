package moe.conformance.reference;

import moe.spi.device.AttentionShape;

/// Causal self-attention of rows with queries, keys and values side by side, and its gradient.
public final class SelfAttention {
  private final AttentionShape shape;
  private final double[] qkv;
  private final double scale;
  private final int width;

  public SelfAttention(double[] qkv, AttentionShape shape) {
    this.qkv = qkv;
    this.shape = shape;
    this.width = shape.dModel();
    this.scale = 1 / Math.sqrt(shape.headSize());
  }

  /// The weights of one query: probabilities, the logarithm of their sum, and by how much errors of
  /// the scores move them.
  @SuppressWarnings("ArrayRecordComponent") // for plain loops; never compared
  private record Weights(double[] p, double logSumExp, double size) {}

  private Weights weights(int batch, int head, int query) {
    double[] scores = new double[query + 1];
    double max = Double.NEGATIVE_INFINITY;
    double size = 1;
    for (int key = 0; key <= query; key++) {
      double magnitude = 0;
      for (int i = 0; i < shape.headSize(); i++) {
        double term = at(batch, query, 0, head, i) * at(batch, key, 1, head, i) * scale;
        scores[key] += term;
        magnitude += Math.abs(term);
      }
      max = Math.max(max, scores[key]);
      size = Math.max(size, 1 + magnitude);
    }
    double sum = 0;
    for (double score : scores) {
      sum += Math.exp(score - max);
    }
    double[] p = new double[query + 1];
    for (int key = 0; key <= query; key++) {
      p[key] = Math.exp(scores[key] - max) / sum;
    }
    return new Weights(p, max + Math.log(sum), size);
  }

  private double at(int batch, int position, int part, int head, int i) {
    return qkv[index(batch, position, part, head) + i];
  }

  private int index(int batch, int position, int part, int head) {
    int row = batch * shape.seqLength() + position;
    return row * 3 * width + part * width + head * shape.headSize();
  }

  private int outIndex(int batch, int position, int head) {
    return (batch * shape.seqLength() + position) * width + head * shape.headSize();
  }

  /// `[tokens, dModel]`.
  public Bounded forward() {
    Sums out = new Sums(shape.tokens() * width);
    each((batch, head, query, weights) -> {
      for (int key = 0; key <= query; key++) {
        for (int i = 0; i < shape.headSize(); i++) {
          double term = weights.p()[key] * at(batch, key, 2, head, i);
          out.add(outIndex(batch, query, head) + i, term, Math.abs(term) * weights.size());
        }
      }
    });
    return out.bounded();
  }

  /// `[batch, heads, seqLength]`.
  public Bounded logSumExp() {
    Sums sums = new Sums(shape.tokens() * shape.heads());
    each((batch, head, query, weights) ->
        sums.add(
            (batch * shape.heads() + head) * shape.seqLength() + query,
            weights.logSumExp(),
            Math.abs(weights.logSumExp()) + weights.size()));
    return sums.bounded();
  }

  /// The gradient of queries, keys and values, `[tokens, 3·dModel]`.
  public Bounded backward(double[] dOut) {
    Sums dQkv = new Sums(qkv.length);
    each((batch, head, query, weights) -> backward(batch, head, query, weights, dOut, dQkv));
    return dQkv.bounded();
  }

  private void backward(int batch, int head, int query, Weights weights, double[] dOut, Sums dQkv) {
    int size = shape.headSize();
    int outAt = outIndex(batch, query, head);
    Sums dP = new Sums(query + 1);
    double mean = 0;
    double meanSize = 0;
    for (int key = 0; key <= query; key++) {
      for (int i = 0; i < size; i++) {
        double p = weights.p()[key];
        double d = dOut[outAt + i];
        dP.add(key, d * at(batch, key, 2, head, i));
        dQkv.add(index(batch, key, 2, head) + i, p * d, p * Math.abs(d) * weights.size());
      }
      mean += weights.p()[key] * dP.value(key);
      meanSize += weights.p()[key] * dP.magnitude(key);
    }
    for (int key = 0; key <= query; key++) {
      double p = weights.p()[key];
      double dS = p * (dP.value(key) - mean) * scale;
      double dSize = p * (dP.magnitude(key) + meanSize) * scale * weights.size();
      for (int i = 0; i < size; i++) {
        double k = at(batch, key, 1, head, i);
        double q = at(batch, query, 0, head, i);
        dQkv.add(index(batch, query, 0, head) + i, dS * k, dSize * Math.abs(k));
        dQkv.add(index(batch, key, 1, head) + i, dS * q, dSize * Math.abs(q));
      }
    }
  }

  private interface Visit {
    void query(int batch, int head, int query, Weights weights);
  }

  private void each(Visit visit) {
    for (int batch = 0; batch < shape.batch(); batch++) {
      for (int head = 0; head < shape.heads(); head++) {
        for (int query = 0; query < shape.seqLength(); query++) {
          visit.query(batch, head, query, weights(batch, head, query));
        }
      }
    }
  }
}
