package moe.engine.oracle;

/// Causal self-attention of all heads; rows of `qkv` hold queries, keys and values.
final class Attention {
  private final int seqLength;
  private final int heads;
  private final int headSize;
  private final int dModel;

  Attention(OracleSize size, int seqLength) {
    this.seqLength = seqLength;
    this.heads = size.heads();
    this.dModel = size.dModel();
    this.headSize = dModel / heads;
  }

  double[] forward(double[] qkv) {
    int tokens = qkv.length / (3 * dModel);
    double[] out = new double[tokens * dModel];
    for (int t = 0; t < tokens; t++) {
      for (int head = 0; head < heads; head++) {
        double[] p = probabilities(qkv, t, head);
        for (int s = 0; s < p.length; s++) {
          for (int i = 0; i < headSize; i++) {
            out[t * dModel + head * headSize + i] += p[s] * qkv[part(first(t) + s, 2, head) + i];
          }
        }
      }
    }
    return out;
  }

  double[] backward(double[] dOut, double[] qkv) {
    double[] dQkv = new double[qkv.length];
    double scale = 1 / Math.sqrt(headSize);
    for (int t = 0; t < qkv.length / (3 * dModel); t++) {
      for (int head = 0; head < heads; head++) {
        double[] p = probabilities(qkv, t, head);
        double[] dP = new double[p.length];
        double mean = 0;
        for (int s = 0; s < p.length; s++) {
          int value = part(first(t) + s, 2, head);
          for (int i = 0; i < headSize; i++) {
            double d = dOut[t * dModel + head * headSize + i];
            dP[s] += d * qkv[value + i];
            dQkv[value + i] += d * p[s];
          }
          mean += p[s] * dP[s];
        }
        int query = part(t, 0, head);
        for (int s = 0; s < p.length; s++) {
          double dScore = p[s] * (dP[s] - mean) * scale;
          int key = part(first(t) + s, 1, head);
          for (int i = 0; i < headSize; i++) {
            dQkv[query + i] += dScore * qkv[key + i];
            dQkv[key + i] += dScore * qkv[query + i];
          }
        }
      }
    }
    return dQkv;
  }

  private int first(int t) {
    return t / seqLength * seqLength;
  }

  // Where queries (0), keys (1) or values (2) of a token's head begin.
  private int part(int t, int which, int head) {
    return t * 3 * dModel + which * dModel + head * headSize;
  }

  private double[] probabilities(double[] qkv, int t, int head) {
    double[] scores = new double[t - first(t) + 1];
    for (int s = 0; s < scores.length; s++) {
      for (int i = 0; i < headSize; i++) {
        scores[s] += qkv[part(t, 0, head) + i] * qkv[part(first(t) + s, 1, head) + i];
      }
      scores[s] /= Math.sqrt(headSize);
    }
    return Softmax.of(scores);
  }
}
