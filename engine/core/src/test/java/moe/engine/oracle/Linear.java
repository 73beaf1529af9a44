package moe.engine.oracle;

import org.jspecify.annotations.Nullable;

/// `y = W·x + b`, where `W[o, i]` is at `at + o·outStride + i·inStride`.
final class Linear {
  private final int in;
  private final int out;
  private final double[] weight;
  private final double[] dWeight;
  private final int at;
  private final int outStride;
  private final int inStride;
  private final double @Nullable [] bias;
  private final double @Nullable [] dBias;
  private final int biasAt;

  private Linear(
      Weights weights,
      Weights gradients,
      String name,
      boolean biased,
      int in,
      int out,
      int index,
      boolean transposed) {
    this.in = in;
    this.out = out;
    this.weight = weights.get(name + ".weight");
    this.dWeight = gradients.get(name + ".weight");
    this.at = index * in * out;
    this.outStride = transposed ? 1 : in;
    this.inStride = transposed ? out : 1;
    this.bias = biased ? weights.get(name + ".bias") : null;
    this.dBias = biased ? gradients.get(name + ".bias") : null;
    this.biasAt = index * out;
  }

  /// Stored `[in, out]`.
  static Linear conv1d(Weights weights, Weights gradients, String name, int in, int out) {
    return new Linear(weights, gradients, name, true, in, out, 0, true);
  }

  /// Stored `[index, out, in]`.
  static Linear stacked(
      Weights weights, Weights gradients, String name, int in, int out, int index) {
    return new Linear(weights, gradients, name, true, in, out, index, false);
  }

  /// Stored `[out, in]`, without bias.
  static Linear plain(Weights weights, Weights gradients, String name, int in, int out) {
    return new Linear(weights, gradients, name, false, in, out, 0, false);
  }

  /// Each of `rows` rows.
  double[] forward(double[] x) {
    int rows = x.length / in;
    double[] y = new double[rows * out];
    for (int r = 0; r < rows; r++) {
      for (int o = 0; o < out; o++) {
        double sum = bias == null ? 0 : bias[biasAt + o];
        for (int i = 0; i < in; i++) {
          sum += weight[at + o * outStride + i * inStride] * x[r * in + i];
        }
        y[r * out + o] = sum;
      }
    }
    return y;
  }

  /// The gradient of `x`; adds to those of the weights.
  double[] backward(double[] dY, double[] x) {
    int rows = x.length / in;
    double[] dX = new double[x.length];
    for (int r = 0; r < rows; r++) {
      for (int o = 0; o < out; o++) {
        double d = dY[r * out + o];
        if (dBias != null) {
          dBias[biasAt + o] += d;
        }
        for (int i = 0; i < in; i++) {
          int w = at + o * outStride + i * inStride;
          dX[r * in + i] += weight[w] * d;
          dWeight[w] += x[r * in + i] * d;
        }
      }
    }
    return dX;
  }
}
