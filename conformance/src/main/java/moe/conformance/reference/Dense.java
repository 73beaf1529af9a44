package moe.conformance.reference;

import moe.spi.device.Activation;
import org.jspecify.annotations.Nullable;

/// Linear layers, activations and the optimiser.
public final class Dense {
  private Dense() {}

  /// `y[r, o] = activation(Σ_i weight[o, i]·x[r, i] + bias[o])`.
  public static Bounded linear(
      double[] x,
      double[] weight,
      double @Nullable [] bias,
      Activation activation,
      int rows,
      int in,
      int out) {
    Sums y = new Sums(rows * out);
    for (int r = 0; r < rows; r++) {
      for (int o = 0; o < out; o++) {
        for (int i = 0; i < in; i++) {
          y.add(r * out + o, weight[o * in + i] * x[r * in + i]);
        }
        if (bias != null) {
          y.add(r * out + o, bias[o]);
        }
      }
    }
    Bounded sums = y.bounded();
    for (int i = 0; i < rows * out; i++) {
      sums.values()[i] = Activations.of(activation, sums.values()[i]);
    }
    return sums;
  }

  /// `dX[r, i] = Σ_o weight[o, i]·dY[r, o]`.
  public static Bounded linearInput(double[] dY, double[] weight, int rows, int in, int out) {
    Sums dX = new Sums(rows * in);
    for (int r = 0; r < rows; r++) {
      for (int o = 0; o < out; o++) {
        for (int i = 0; i < in; i++) {
          dX.add(r * in + i, weight[o * in + i] * dY[r * out + o]);
        }
      }
    }
    return dX.bounded();
  }

  /// `dW[o, i] = Σ_r dY[r, o]·x[r, i]`.
  public static Bounded linearWeight(double[] dY, double[] x, int rows, int in, int out) {
    Sums dW = new Sums(out * in);
    for (int r = 0; r < rows; r++) {
      for (int o = 0; o < out; o++) {
        for (int i = 0; i < in; i++) {
          dW.add(o * in + i, dY[r * out + o] * x[r * in + i]);
        }
      }
    }
    return dW.bounded();
  }

  /// `db[o] = Σ_r dY[r, o]`.
  public static Bounded columns(double[] dY, int rows, int out) {
    Sums db = new Sums(out);
    for (int i = 0; i < rows * out; i++) {
      db.add(i % out, dY[i]);
    }
    return db.bounded();
  }

  /// `y = activation(x)`; errors are relative to `x`.
  public static Bounded activate(Activation activation, double[] x) {
    Sums y = new Sums(x.length);
    for (int i = 0; i < x.length; i++) {
      y.add(i, Activations.of(activation, x[i]), Math.abs(x[i]));
    }
    return y.bounded();
  }

  /// `dX = dY·activation′(x)`.
  public static Bounded activateBackward(Activation activation, double[] x, double[] dY) {
    Sums dX = new Sums(x.length);
    for (int i = 0; i < x.length; i++) {
      double derivative = Activations.derivative(activation, x[i]);
      dX.add(i, dY[i] * derivative, Math.abs(dY[i]) * (1 + Math.abs(x[i])));
    }
    return dX.bounded();
  }

  /// `Σ x²`.
  public static Bounded sumOfSquares(double[] x) {
    Sums sum = new Sums(1);
    for (double value : x) {
      sum.add(0, value * value);
    }
    return sum.bounded();
  }
}
