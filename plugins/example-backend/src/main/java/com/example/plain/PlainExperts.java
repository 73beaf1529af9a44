package com.example.plain;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import moe.spi.device.Activation;
import moe.spi.device.DType;
import moe.spi.device.DeviceStream;
import moe.spi.device.LinearWeights;
import moe.spi.device.Shape;
import moe.spi.device.Tensor;
import moe.spi.error.MoeException;
import moe.spi.stage.Dispatched;
import moe.spi.stage.ExpertExecutor;
import moe.spi.stage.LayerSpec;
import moe.spi.stage.Parameters;
import moe.spi.stage.StageContext;

/// Runs each expert over its rows with the backend's own dense operations: gather, products,
/// activation. What backward needs is kept in tensors taken when the stage is made.
final class PlainExperts implements ExpertExecutor, ExpertExecutor.Backward {
  private final StageContext context;
  private final LayerSpec spec;
  private final PlainDenseOps dense = new PlainDenseOps();
  private final List<Tensor> owned = new ArrayList<>();
  private final Tensor rows; // [maxSlots, dModel], like dRows
  private final Tensor dRows;
  private final Tensor up; // [maxSlots, dHidden], like all below
  private final Tensor gate;
  private final Tensor activated;
  private final Tensor hidden;
  private final Tensor dHidden;

  PlainExperts(StageContext context) {
    this.context = context;
    this.spec = context.spec();
    boolean complete = false;
    try {
      rows = allocate(spec.dModel());
      dRows = allocate(spec.dModel());
      up = allocate(spec.dHidden());
      gate = allocate(spec.dHidden());
      activated = allocate(spec.dHidden());
      hidden = allocate(spec.dHidden());
      dHidden = allocate(spec.dHidden());
      complete = true;
    } finally {
      if (!complete) {
        close(); // a stage that finds no room gives back what it had
      }
    }
  }

  private Tensor allocate(int width) throws MoeException {
    Tensor tensor = context.backend().allocate(DType.F32, Shape.of(spec.maxSlots(), width));
    owned.add(tensor);
    return tensor;
  }

  @Override
  public boolean needsRows() {
    return false;
  }

  @Override
  public void execute(Tensor tokens, Dispatched in, Tensor expertRows, DeviceStream stream) {
    PlainStageFactory.tokens(tokens, spec);
    PlainTensor offsets = offsets(in);
    for (int e = 0; e < spec.experts(); e++) {
      long from = offsets.id(e);
      long to = offsets.id(e + 1);
      Tensor x = rows.slice(from, to);
      Tensor h = hidden.slice(from, to);
      dense.gatherRows(tokens, in.assignments().slice(from, to), spec.topK(), x, stream);
      dense.linear(x, weights("experts.up", e), Activation.NONE, up.slice(from, to), stream);
      if (spec.gated()) {
        Tensor z = gate.slice(from, to);
        Tensor a = activated.slice(from, to);
        dense.linear(x, weights("experts.gate", e), Activation.NONE, z, stream);
        dense.activate(spec.activation(), z, a, stream);
        dense.multiply(a, up.slice(from, to), h, stream);
      } else {
        dense.activate(spec.activation(), up.slice(from, to), h, stream);
      }
      Tensor y = expertRows.slice(from, to);
      dense.linear(h, weights("experts.down", e), Activation.NONE, y, stream);
    }
  }

  private PlainTensor offsets(Dispatched in) {
    return PlainTensor.ints("offsets", in.offsets(), spec.experts() + 1L);
  }

  private LinearWeights weights(String layer, int expert) {
    return one(context.parameters().linear(layer), expert);
  }

  private LinearWeights gradients(String layer, int expert) {
    Parameters parameters = context.parameters();
    return one(parameters.linearGradients(layer), expert);
  }

  // One expert's part of [experts, out, in] and [experts, out].
  private static LinearWeights one(LinearWeights all, int expert) {
    Shape shape = all.weight().shape();
    Shape matrix = Shape.of(shape.dim(1), shape.dim(2));
    Tensor bias = all.bias();
    return new LinearWeights(
        all.weight().view(expert * matrix.elements(), matrix),
        bias == null ? null : bias.view(expert * shape.dim(1), Shape.of(shape.dim(1))));
  }

  @Override
  public Optional<ExpertExecutor.Backward> backward() {
    return spec.training() ? Optional.of(this) : Optional.empty();
  }

  @Override
  public void backward(
      Tensor tokens, Dispatched in, Tensor dExpertRows, Tensor dIn, DeviceStream stream) {
    PlainTensor offsets = offsets(in);
    for (int e = 0; e < spec.experts(); e++) {
      long from = offsets.id(e);
      long to = offsets.id(e + 1);
      Tensor x = rows.slice(from, to);
      Tensor h = hidden.slice(from, to);
      Tensor dH = dHidden.slice(from, to);
      Tensor dX = dIn.slice(from, to);
      Tensor dY = dExpertRows.slice(from, to);
      LinearWeights down = weights("experts.down", e);
      dense.linearBackward(dY, h, down, dH, gradients("experts.down", e), stream);
      LinearWeights raise = weights("experts.up", e);
      LinearWeights dRaise = gradients("experts.up", e);
      Tensor u = up.slice(from, to);
      if (spec.gated()) {
        Tensor dU = h; // no longer needed
        dense.multiply(dH, activated.slice(from, to), dU, stream);
        dense.linearBackward(dU, x, raise, dX, dRaise, stream);
        dense.multiply(dH, u, dH, stream);
        dense.activateBackward(spec.activation(), gate.slice(from, to), dH, dH, stream);
        Tensor more = dRows.slice(from, to);
        LinearWeights dGate = gradients("experts.gate", e);
        dense.linearBackward(dH, x, weights("experts.gate", e), more, dGate, stream);
        dense.add(dX, more, dX, stream);
      } else {
        dense.activateBackward(spec.activation(), u, dH, dH, stream);
        dense.linearBackward(dH, x, raise, dX, dRaise, stream);
      }
    }
  }

  @Override
  public void close() {
    owned.forEach(Tensor::close);
  }
}
