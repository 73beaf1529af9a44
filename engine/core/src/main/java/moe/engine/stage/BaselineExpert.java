package moe.engine.stage;

import java.util.ArrayList;
import java.util.List;
import java.util.function.LongFunction;
import moe.spi.device.Activation;
import moe.spi.device.DenseOps;
import moe.spi.device.DeviceStream;
import moe.spi.device.LinearWeights;
import moe.spi.device.Shape;
import moe.spi.device.Tensor;
import moe.spi.stage.LayerSpec;
import moe.spi.stage.Parameters;
import moe.spi.stage.StageContext;
import org.jspecify.annotations.Nullable;

/// One expert at a time, in dense operations: `y = W_down·h + b_down` with `h = act(W_up·x +
/// b_up)`, or gated `h = act(W_gate·x + b_gate) ∘ (W_up·x + b_up)`.
final class BaselineExpert {
  private final DenseOps dense;
  private final Activation activation;
  private final List<LinearWeights> up;
  private final List<LinearWeights> down;
  private final List<LinearWeights> gate;
  private final @Nullable Gradients gradients;
  private final Tensor upRows; // [capacity, dHidden], like all below
  private final Tensor hidden;
  private final Tensor gateRows;
  private final Tensor activated;

  /// The gradients of each expert's weights, and room for those of its rows.
  private record Gradients(
      List<LinearWeights> up,
      List<LinearWeights> down,
      List<LinearWeights> gate,
      Tensor dRows,
      Tensor dRowsOfGate,
      Tensor dHidden,
      Tensor dUp) {}

  /// @param rows allocates F32 rows of a width
  BaselineExpert(StageContext context, LongFunction<Tensor> rows) {
    LayerSpec spec = context.spec();
    Parameters parameters = context.parameters();
    this.dense = context.backend().dense();
    this.activation = spec.activation();
    this.up = each(parameters.linear("experts.up"), spec);
    this.down = each(parameters.linear("experts.down"), spec);
    this.gate = spec.gated() ? each(parameters.linear("experts.gate"), spec) : List.of();
    this.upRows = rows.apply(spec.dHidden());
    // What backward does not need may lie in one place.
    this.hidden = spec.training() ? rows.apply(spec.dHidden()) : upRows;
    this.gateRows = spec.gated() ? rows.apply(spec.dHidden()) : upRows;
    this.activated = spec.gated() && spec.training() ? rows.apply(spec.dHidden()) : gateRows;
    this.gradients = spec.training() ? gradients(spec, parameters, rows) : null;
  }

  private static Gradients gradients(
      LayerSpec spec, Parameters parameters, LongFunction<Tensor> rows) {
    Tensor dRows = rows.apply(spec.dModel());
    Tensor dHidden = rows.apply(spec.dHidden());
    return new Gradients(
        each(parameters.linearGradients("experts.up"), spec),
        each(parameters.linearGradients("experts.down"), spec),
        spec.gated() ? each(parameters.linearGradients("experts.gate"), spec) : List.of(),
        dRows,
        spec.gated() ? rows.apply(spec.dModel()) : dRows,
        dHidden,
        spec.gated() ? rows.apply(spec.dHidden()) : dHidden);
  }

  private static List<LinearWeights> each(LinearWeights stacked, LayerSpec spec) {
    List<LinearWeights> each = new ArrayList<>();
    for (int e = 0; e < spec.experts(); e++) {
      Tensor bias = stacked.bias();
      each.add(new LinearWeights(one(stacked.weight(), e), bias == null ? null : one(bias, e)));
    }
    return List.copyOf(each);
  }

  // [experts, …] → […]
  private static Tensor one(Tensor stacked, int expert) {
    var shape = stacked.shape();
    var part = shape.rank() == 2 ? Shape.of(shape.dim(1)) : Shape.of(shape.dim(1), shape.dim(2));
    return stacked.view(expert * part.elements(), part);
  }

  void forward(int e, BaselineMoe.Window window, Tensor x, Tensor y, DeviceStream stream) {
    Tensor up = window.of(upRows);
    Tensor h = window.of(hidden);
    dense.linear(x, this.up.get(e), Activation.NONE, up, stream);
    if (gate.isEmpty()) {
      dense.activate(activation, up, h, stream);
    } else {
      Tensor gated = window.of(gateRows);
      Tensor a = window.of(activated);
      dense.linear(x, gate.get(e), Activation.NONE, gated, stream);
      dense.activate(activation, gated, a, stream);
      dense.multiply(a, up, h, stream);
    }
    dense.linear(h, down.get(e), Activation.NONE, y, stream);
  }

  /// The gradient of `x`, from that of `y`; adds to the gradients of the expert's weights.
  Tensor backward(int e, BaselineMoe.Window window, Tensor x, Tensor dY, DeviceStream stream) {
    if (gradients == null) {
      throw new IllegalStateException("made for inference");
    }
    Gradients g = gradients;
    Tensor up = window.of(upRows);
    Tensor dX = window.of(g.dRows());
    Tensor dH = window.of(g.dHidden());
    dense.linearBackward(dY, window.of(hidden), down.get(e), dH, g.down().get(e), stream);
    if (gate.isEmpty()) {
      dense.activateBackward(activation, up, dH, dH, stream);
      dense.linearBackward(dH, x, this.up.get(e), dX, g.up().get(e), stream);
      return dX;
    }
    Tensor dUp = window.of(g.dUp());
    Tensor dXOfGate = window.of(g.dRowsOfGate());
    dense.multiply(dH, window.of(activated), dUp, stream);
    dense.linearBackward(dUp, x, this.up.get(e), dX, g.up().get(e), stream);
    dense.multiply(dH, up, dH, stream);
    dense.activateBackward(activation, window.of(gateRows), dH, dH, stream);
    dense.linearBackward(dH, x, gate.get(e), dXOfGate, g.gate().get(e), stream);
    dense.add(dX, dXOfGate, dX, stream);
    return dX;
  }
}
