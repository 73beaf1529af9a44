package moe.engine.oracle;

/// A feed-forward network of two matrices, forward and backward.
final class Expert {
  private final Linear up;
  private final Linear down;
  private final String activation;

  Expert(Linear up, Linear down, String activation) {
    this.up = up;
    this.down = down;
    this.activation = activation;
  }

  double[] forward(double[] x) {
    return down.forward(activated(up.forward(x)));
  }

  double[] backward(double[] dY, double[] x) {
    double[] hidden = up.forward(x);
    double[] d = down.backward(dY, activated(hidden));
    for (int i = 0; i < d.length; i++) {
      d[i] *= derivative(hidden[i]);
    }
    return up.backward(d, x);
  }

  private double[] activated(double[] hidden) {
    double[] y = new double[hidden.length];
    for (int i = 0; i < y.length; i++) {
      y[i] = value(hidden[i]);
    }
    return y;
  }

  private double value(double x) {
    return switch (activation) {
      case "gelu_new" -> 0.5 * x * (1 + Math.tanh(inner(x)));
      case "silu" -> x / (1 + Math.exp(-x));
      case "relu" -> Math.max(x, 0);
      default -> throw new IllegalArgumentException(activation);
    };
  }

  private double derivative(double x) {
    return switch (activation) {
      case "gelu_new" -> {
        double tanh = Math.tanh(inner(x));
        double dInner = Math.sqrt(2 / Math.PI) * (1 + 3 * 0.044715 * x * x);
        yield 0.5 * (1 + tanh) + 0.5 * x * (1 - tanh * tanh) * dInner;
      }
      case "silu" -> {
        double sigmoid = 1 / (1 + Math.exp(-x));
        yield sigmoid * (1 + x * (1 - sigmoid));
      }
      case "relu" -> x > 0 ? 1 : 0;
      default -> throw new IllegalArgumentException(activation);
    };
  }

  private static double inner(double x) {
    return Math.sqrt(2 / Math.PI) * (x + 0.044715 * x * x * x);
  }
}
