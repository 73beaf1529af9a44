package moe.backend.tests;

import static java.util.Objects.requireNonNull;

import java.util.Arrays;
import java.util.Map;
import java.util.stream.IntStream;
import moe.spi.device.Activation;
import moe.spi.stage.LayerSpec;

/// A MoE block in double precision, by plain loops.
final class Reference {
  private final LayerSpec spec;

  Reference(LayerSpec spec) {
    this.spec = spec;
  }

  /// Logits `[tokens, experts]`.
  double[] logits(Map<String, double[]> w, double[] tokens) {
    int rows = tokens.length / spec.dModel();
    double[] logits = new double[rows * spec.experts()];
    for (int t = 0; t < rows; t++) {
      double[] x = row(tokens, t, spec.dModel());
      double[] z = linear(w, "router", 0, spec.experts(), x);
      System.arraycopy(z, 0, logits, t * spec.experts(), spec.experts());
    }
    return logits;
  }

  /// The best experts of each token, best first, of equals the smaller id.
  int[] expertIds(double[] logits) {
    int rows = logits.length / spec.experts();
    int[] ids = new int[rows * spec.topK()];
    for (int t = 0; t < rows; t++) {
      double[] z = row(logits, t, spec.experts());
      int[] best =
          IntStream.range(0, spec.experts())
              .boxed()
              .sorted((a, b) -> z[a] != z[b] ? Double.compare(z[b], z[a]) : Integer.compare(a, b))
              .mapToInt(Integer::intValue)
              .toArray();
      System.arraycopy(best, 0, ids, t * spec.topK(), spec.topK());
    }
    return ids;
  }

  /// Softmax over all experts, of which the chosen are renormalised; 0 for an unused slot.
  double[] gates(double[] logits, int[] ids) {
    double[] gates = new double[ids.length];
    for (int t = 0; t < ids.length / spec.topK(); t++) {
      double[] z = row(logits, t, spec.experts());
      double all = 0;
      for (double logit : z) {
        all += Math.exp(logit);
      }
      double chosen = 0;
      for (int k = t * spec.topK(); k < (t + 1) * spec.topK(); k++) {
        gates[k] = ids[k] < 0 ? 0 : Math.exp(z[ids[k]]) / all;
        chosen += gates[k];
      }
      for (int k = t * spec.topK(); k < (t + 1) * spec.topK(); k++) {
        gates[k] = ids[k] < 0 ? 0 : gates[k] / chosen;
      }
    }
    return gates;
  }

  /// The block's output `[tokens, dModel]`.
  double[] block(Map<String, double[]> w, double[] tokens, int[] ids, double[] gates) {
    double[] out = new double[tokens.length];
    for (int slot = 0; slot < ids.length; slot++) {
      if (ids[slot] < 0) {
        continue;
      }
      int t = slot / spec.topK();
      double[] y = expert(w, ids[slot], row(tokens, t, spec.dModel()));
      for (int d = 0; d < spec.dModel(); d++) {
        out[t * spec.dModel() + d] += gates[slot] * y[d];
      }
    }
    return out;
  }

  private double[] expert(Map<String, double[]> w, int expert, double[] x) {
    double[] hidden = linear(w, "experts.up", expert, spec.dHidden(), x);
    if (spec.gated()) {
      double[] gate = linear(w, "experts.gate", expert, spec.dHidden(), x);
      for (int i = 0; i < hidden.length; i++) {
        hidden[i] *= activation(spec.activation(), gate[i]);
      }
    } else {
      for (int i = 0; i < hidden.length; i++) {
        hidden[i] = activation(spec.activation(), hidden[i]);
      }
    }
    return linear(w, "experts.down", expert, spec.dModel(), hidden);
  }

  private static double[] linear(
      Map<String, double[]> w, String prefix, int group, int out, double[] x) {
    double[] weight = requireNonNull(w.get(prefix + ".weight"));
    double[] bias = w.get(prefix + ".bias");
    double[] y = new double[out];
    for (int o = 0; o < out; o++) {
      y[o] = bias == null ? 0 : bias[group * out + o];
      for (int i = 0; i < x.length; i++) {
        y[o] += weight[(group * out + o) * x.length + i] * x[i];
      }
    }
    return y;
  }

  private static double activation(Activation activation, double x) {
    return switch (activation) {
      case NONE -> x;
      case GELU -> 0.5 * x * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x * x * x)));
      case SILU -> x / (1 + Math.exp(-x));
      case RELU -> Math.max(x, 0);
    };
  }

  private static double[] row(double[] matrix, int row, int width) {
    return Arrays.copyOfRange(matrix, row * width, (row + 1) * width);
  }
}
