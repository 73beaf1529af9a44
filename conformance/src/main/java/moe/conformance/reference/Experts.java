package moe.conformance.reference;

import java.util.LinkedHashMap;
import java.util.Map;
import moe.spi.device.Activation;
import moe.spi.stage.LayerSpec;
import org.jspecify.annotations.Nullable;

/// The feed-forward networks of all experts, row by row: `W_down·act(W_up·x + b_up) + b_down`, or
/// gated with `act(W_gate·x + b_gate) ∘ (W_up·x + b_up)` between.
public final class Experts {
  private final LayerSpec spec;
  private final Activation activation;
  private final double error;
  private final Map<String, double[]> weights;
  private final Map<String, Sums> gradients = new LinkedHashMap<>();

  /// Networks with these weights that are compared with results in float32.
  ///
  /// @param weights by the names of `StandardParameters.feedForward`
  public Experts(LayerSpec spec, Map<String, double[]> weights) {
    this(spec, weights, Bounded.FLOAT32);
  }

  /// Networks with these weights.
  ///
  /// @param weights by the names of `StandardParameters.feedForward`
  /// @param error how far what they are compared with may be off, relative to the sum of the
  ///   absolute values of its terms
  public Experts(LayerSpec spec, Map<String, double[]> weights, double error) {
    this.error = error;
    this.spec = spec;
    this.activation = spec.activation();
    this.weights = Map.copyOf(weights);
    weights.forEach((name, values) -> gradients.put(name, new Sums(values.length)));
  }

  /// What `backward` has added up so far, by parameter.
  public Map<String, Sums> gradients() {
    return gradients;
  }

  /// Adds `factor·expert(x)` to `y`.
  public void forward(int expert, double[] x, int xAt, double factor, Sums y, int yAt) {
    Hidden hidden = hidden(expert, x, xAt);
    double[] down = weight("experts.down.weight");
    double[] bias = weights.get("experts.down.bias");
    for (int o = 0; o < spec.dModel(); o++) {
      for (int i = 0; i < spec.dHidden(); i++) {
        double w = factor * down[(expert * spec.dModel() + o) * spec.dHidden() + i];
        y.add(yAt + o, w * hidden.h.value(i), Math.abs(w) * hidden.h.magnitude(i));
      }
      if (bias != null) {
        y.add(yAt + o, factor * bias[expert * spec.dModel() + o]);
      }
    }
  }

  /// Adds the gradients of `factor·expert(x)`, given that of its result.
  public void backward(
      int expert, double[] x, int xAt, double factor, double[] dY, int dYAt, Sums dX, int dXAt) {
    Hidden hidden = hidden(expert, x, xAt);
    double[] down = weight("experts.down.weight");
    Sums dH = new Sums(spec.dHidden());
    for (int o = 0; o < spec.dModel(); o++) {
      double d = factor * dY[dYAt + o];
      int row = expert * spec.dModel() + o;
      for (int i = 0; i < spec.dHidden(); i++) {
        int at = row * spec.dHidden() + i;
        dH.add(i, down[at] * d);
        gradient("experts.down.weight")
            .add(at, d * hidden.h.value(i), Math.abs(d) * hidden.h.magnitude(i));
      }
      addBias("experts.down.bias", row, d, Math.abs(d));
    }
    if (spec.gated()) {
      Sums dUp = new Sums(spec.dHidden());
      Sums dA = new Sums(spec.dHidden());
      for (int i = 0; i < spec.dHidden(); i++) {
        double a = Activations.of(activation, hidden.z.value(i));
        dUp.add(i, dH.value(i) * a, dH.magnitude(i) * hidden.z.magnitude(i));
        dA.add(i, dH.value(i) * hidden.up.value(i), dH.magnitude(i) * hidden.up.magnitude(i));
      }
      input("experts.up", expert, dUp, x, xAt, dX, dXAt);
      input("experts.gate", expert, activated(hidden.z, dA), x, xAt, dX, dXAt);
    } else {
      input("experts.up", expert, activated(hidden.z, dH), x, xAt, dX, dXAt);
    }
  }

  /// @param z what goes into the activation
  /// @param up the other factor, if gated
  /// @param h what goes into the last product
  private record Hidden(Sums z, Sums up, Sums h) {}

  private Hidden hidden(int expert, double[] x, int xAt) {
    Sums up = linear("experts.up", expert, x, xAt);
    Sums z = spec.gated() ? linear("experts.gate", expert, x, xAt) : up;
    Sums h = new Sums(spec.dHidden());
    for (int i = 0; i < spec.dHidden(); i++) {
      double a = Activations.of(activation, z.value(i));
      if (spec.gated()) {
        h.add(i, a * up.value(i), z.magnitude(i) * up.magnitude(i));
      } else {
        h.add(i, a, z.magnitude(i));
      }
    }
    return new Hidden(z, up, h);
  }

  private Sums linear(String layer, int expert, double[] x, int xAt) {
    double[] weight = weight(layer + ".weight");
    double[] bias = weights.get(layer + ".bias");
    Sums y = new Sums(spec.dHidden());
    for (int o = 0; o < spec.dHidden(); o++) {
      int row = expert * spec.dHidden() + o;
      for (int i = 0; i < spec.dModel(); i++) {
        y.add(o, weight[row * spec.dModel() + i] * x[xAt + i]);
      }
      if (bias != null) {
        y.add(o, bias[row]);
      }
    }
    return y;
  }

  private Sums activated(Sums z, Sums dA) {
    Sums dZ = new Sums(spec.dHidden());
    for (int i = 0; i < spec.dHidden(); i++) {
      double slope = Activations.derivative(activation, z.value(i));
      double moved = Activations.sensitivity(activation, z.value(i), z.magnitude(i), error);
      dZ.add(i, dA.value(i) * slope, dA.magnitude(i) * (Math.abs(slope) + moved));
    }
    return dZ;
  }

  private void input(String layer, int expert, Sums dY, double[] x, int xAt, Sums dX, int dXAt) {
    double[] weight = weight(layer + ".weight");
    Sums dWeight = gradient(layer + ".weight");
    for (int o = 0; o < spec.dHidden(); o++) {
      int row = expert * spec.dHidden() + o;
      double d = dY.value(o);
      double size = dY.magnitude(o);
      for (int i = 0; i < spec.dModel(); i++) {
        int at = row * spec.dModel() + i;
        dX.add(dXAt + i, weight[at] * d, Math.abs(weight[at]) * size);
        dWeight.add(at, d * x[xAt + i], size * Math.abs(x[xAt + i]));
      }
      addBias(layer + ".bias", row, d, size);
    }
  }

  private void addBias(String name, int index, double term, double magnitude) {
    Sums dBias = gradients.get(name);
    if (dBias != null) {
      dBias.add(index, term, magnitude);
    }
  }

  private double[] weight(String name) {
    return present(weights.get(name), name);
  }

  private Sums gradient(String name) {
    return present(gradients.get(name), name);
  }

  private static <T> T present(@Nullable T found, String name) {
    if (found == null) {
      throw new IllegalArgumentException("there is no " + name);
    }
    return found;
  }
}
