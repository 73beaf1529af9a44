package moe.engine.stage;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import moe.spi.device.DType;
import moe.spi.device.DenseOps;
import moe.spi.device.DeviceStream;
import moe.spi.device.Shape;
import moe.spi.device.Tensor;
import moe.spi.stage.FusedMoe;
import moe.spi.stage.LayerSpec;
import moe.spi.stage.Routing;
import moe.spi.stage.StageContext;

/// The plain loop over experts, one dense operation at a time: what everybody is compared with.
///
/// For each expert it gathers the rows into a copy, multiplies, activates, multiplies, and
/// scatters. Alone among the stages it waits for the device, because the host must know how many
/// rows each expert has; and it makes its views of them anew in each call.
final class BaselineMoe implements FusedMoe, FusedMoe.Backward {
  private final DenseOps dense;
  private final LayerSpec spec;
  private final HostPlan plan;
  private final BaselineExpert expert;
  private final List<Tensor> owned = new ArrayList<>();
  private final Tensor assignments; // I32 [maxSlots]
  private final Tensor rows; // [capacity, dModel], like all below
  private final Tensor values;

  BaselineMoe(StageContext context) {
    this.spec = context.spec();
    this.dense = context.backend().dense();
    this.plan = new HostPlan(spec.maxSlots(), spec.experts(), spec.topK());
    // An expert sees a token at most once. Backward needs what all of them saw.
    long capacity = spec.training() ? spec.maxSlots() : spec.maxTokens();
    boolean complete = false;
    try {
      this.assignments = allocate(context, DType.I32, Shape.of(spec.maxSlots()));
      this.rows = allocate(context, DType.F32, Shape.of(capacity, spec.dModel()));
      this.values = allocate(context, DType.F32, Shape.of(capacity, spec.dModel()));
      this.expert =
          new BaselineExpert(
              context, width -> allocate(context, DType.F32, Shape.of(capacity, width)));
      complete = true;
    } finally {
      if (!complete) {
        close();
      }
    }
  }

  private Tensor allocate(StageContext context, DType type, Shape shape) {
    Tensor tensor = context.backend().allocate(type, shape);
    owned.add(tensor);
    return tensor;
  }

  @Override
  public void run(Tensor tokens, Routing routing, Tensor out, DeviceStream stream) {
    plan.plan(routing, assignments, stream);
    stream.zero(out);
    for (int e = 0; e < spec.experts(); e++) {
      int count = plan.count(e);
      if (count > 0) {
        Window window = window(e);
        Tensor chosen = chosen(e);
        Tensor x = window.of(rows);
        Tensor y = window.of(values);
        dense.gatherRows(tokens, chosen, spec.topK(), x, stream);
        expert.forward(e, window, x, y, stream);
        dense.scatterRows(y, chosen, spec.topK(), routing.gates(), out, stream);
      }
    }
  }

  @Override
  public void backward(
      Tensor tokens,
      Routing routing,
      Tensor dOut,
      Tensor dGates,
      Tensor dTokens,
      DeviceStream stream) {
    stream.zero(dGates);
    for (int e = 0; e < spec.experts(); e++) {
      int count = plan.count(e);
      if (count > 0) {
        Window window = window(e);
        Tensor chosen = chosen(e);
        Tensor x = window.of(rows);
        Tensor y = window.of(values);
        // In place, row by row: values give way to their gradients, and so do the rows.
        dense.scatterRowsBackward(dOut, y, chosen, routing.gates(), y, dGates, stream);
        Tensor dX = expert.backward(e, window, x, y, stream);
        dense.scatterRows(dX, chosen, spec.topK(), null, dTokens, stream);
      }
    }
  }

  private Tensor chosen(int e) {
    return assignments.slice(plan.begin(e), plan.begin(e) + plan.count(e));
  }

  private Window window(int e) {
    long from = spec.training() ? plan.begin(e) : 0;
    return new Window(from, from + plan.count(e));
  }

  /// The rows of one expert.
  record Window(long from, long to) {
    Tensor of(Tensor all) {
      return all.slice(from, to);
    }
  }

  @Override
  public Optional<Backward> backward() {
    return spec.training() ? Optional.of(this) : Optional.empty();
  }

  @Override
  public void close() {
    owned.forEach(Tensor::close);
  }
}
