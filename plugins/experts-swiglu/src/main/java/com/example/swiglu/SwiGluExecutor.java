package com.example.swiglu;

import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import moe.spi.device.Activation;
import moe.spi.device.DType;
import moe.spi.device.DenseOps;
import moe.spi.device.DeviceStream;
import moe.spi.device.LinearWeights;
import moe.spi.device.Shape;
import moe.spi.device.Tensor;
import moe.spi.stage.Dispatched;
import moe.spi.stage.ExpertExecutor;
import moe.spi.stage.LayerSpec;
import moe.spi.stage.StageContext;
import org.jspecify.annotations.Nullable;

/// One expert after the other, in the backend's dense operations. Where an expert's rows begin is
/// known on the device alone, so each call waits for the dispatcher once.
final class SwiGluExecutor implements ExpertExecutor, ExpertExecutor.Backward {
  private final StageContext context;
  private final LayerSpec spec;
  private final DenseOps dense;
  private final int[] offsets;
  private final List<Tensor> owned = new ArrayList<>();
  private final Tensor x; // [maxSlots, dModel], like dX
  private final Tensor gate; // [maxSlots, width], like those below
  private final Tensor up;
  private final Tensor activated;
  private final Tensor hidden;
  private @Nullable Tensor dX; // in training
  private @Nullable Tensor dHidden;

  SwiGluExecutor(StageContext context, int width) {
    this.context = context;
    this.spec = context.spec();
    this.dense = context.backend().dense();
    this.offsets = new int[spec.experts() + 1];
    boolean complete = false;
    try {
      x = allocate(spec.dModel());
      gate = allocate(width);
      up = allocate(width);
      activated = allocate(width);
      hidden = allocate(width);
      if (spec.training()) {
        dX = allocate(spec.dModel());
        dHidden = allocate(width);
      }
      complete = true;
    } finally {
      if (!complete) {
        close(); // a stage that finds no room gives back what it had
      }
    }
  }

  private Tensor allocate(int columns) {
    Tensor tensor = context.backend().allocate(DType.F32, Shape.of(spec.maxSlots(), columns));
    owned.add(tensor);
    return tensor;
  }

  @Override
  public boolean needsRows() {
    return false;
  }

  @Override
  public void execute(Tensor tokens, Dispatched in, Tensor expertRows, DeviceStream stream) {
    stream.download(in.offsets(), MemorySegment.ofArray(offsets));
    for (int e = 0; e < spec.experts(); e++) {
      int from = offsets[e];
      int to = offsets[e + 1];
      Tensor rows = x.slice(from, to);
      Tensor z = gate.slice(from, to);
      Tensor u = up.slice(from, to);
      Tensor a = activated.slice(from, to);
      Tensor h = hidden.slice(from, to);
      dense.gatherRows(tokens, in.assignments().slice(from, to), spec.topK(), rows, stream);
      dense.linear(rows, weight("experts.gate", e), Activation.NONE, z, stream);
      dense.linear(rows, weight("experts.up", e), Activation.NONE, u, stream);
      dense.activate(Activation.SILU, z, a, stream);
      dense.multiply(a, u, h, stream);
      Tensor y = expertRows.slice(from, to);
      dense.linear(h, weight("experts.down", e), Activation.NONE, y, stream);
    }
  }

  @Override
  public Optional<ExpertExecutor.Backward> backward() {
    return spec.training() ? Optional.of(this) : Optional.empty();
  }

  /// With `h = a ∘ u` and `a = silu(z)`: `du = dh ∘ a`, `dz = dh ∘ u · silu′(z)`.
  @Override
  public void backward(
      Tensor tokens, Dispatched in, Tensor dExpertRows, Tensor dRows, DeviceStream stream) {
    if (dX == null || dHidden == null) {
      throw new IllegalStateException("made for inference");
    }
    for (int e = 0; e < spec.experts(); e++) {
      int from = offsets[e];
      int to = offsets[e + 1];
      Tensor rows = x.slice(from, to);
      Tensor h = hidden.slice(from, to);
      Tensor dH = dHidden.slice(from, to);
      Tensor dIn = dRows.slice(from, to);
      Tensor dY = dExpertRows.slice(from, to);
      LinearWeights down = weight("experts.down", e);
      dense.linearBackward(dY, h, down, dH, gradient("experts.down", e), stream);
      Tensor dU = h; // no longer needed
      dense.multiply(dH, activated.slice(from, to), dU, stream);
      LinearWeights raise = weight("experts.up", e);
      dense.linearBackward(dU, rows, raise, dIn, gradient("experts.up", e), stream);
      dense.multiply(dH, up.slice(from, to), dH, stream);
      dense.activateBackward(Activation.SILU, gate.slice(from, to), dH, dH, stream);
      Tensor more = dX.slice(from, to);
      LinearWeights gates = weight("experts.gate", e);
      dense.linearBackward(dH, rows, gates, more, gradient("experts.gate", e), stream);
      dense.add(dIn, more, dIn, stream);
    }
  }

  private LinearWeights weight(String layer, int expert) {
    return one(context.parameters().linear(layer), expert);
  }

  private LinearWeights gradient(String layer, int expert) {
    return one(context.parameters().linearGradients(layer), expert);
  }

  // One expert's part of [experts, out, in].
  private static LinearWeights one(LinearWeights all, int expert) {
    Shape shape = all.weight().shape();
    Shape matrix = Shape.of(shape.dim(1), shape.dim(2));
    return new LinearWeights(all.weight().view(expert * matrix.elements(), matrix), null);
  }

  @Override
  public void close() {
    owned.forEach(Tensor::close);
  }
}
