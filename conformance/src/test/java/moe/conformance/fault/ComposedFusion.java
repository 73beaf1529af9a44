package moe.conformance.fault;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import moe.spi.device.DType;
import moe.spi.device.DeviceStream;
import moe.spi.device.Shape;
import moe.spi.device.Tensor;
import moe.spi.error.MoeException;
import moe.spi.stage.Combiner;
import moe.spi.stage.Dispatched;
import moe.spi.stage.Dispatcher;
import moe.spi.stage.ExpertExecutor;
import moe.spi.stage.FusedMoe;
import moe.spi.stage.LayerSpec;
import moe.spi.stage.Routing;
import moe.spi.stage.StageContext;

/// Dispatcher, executor and combiner, one after the other.
final class ComposedFusion implements FusedMoe, FusedMoe.Backward {
  private final LayerSpec spec;
  private final Dispatcher dispatcher;
  private final ExpertExecutor experts;
  private final Combiner combiner;
  private final List<Tensor> owned = new ArrayList<>();
  private final Dispatched dispatched;
  private final Tensor expertRows;
  private final Tensor dRows;

  ComposedFusion(
      StageContext context, Dispatcher dispatcher, ExpertExecutor experts, Combiner combiner) {
    this.spec = context.spec();
    this.dispatcher = dispatcher;
    this.experts = experts;
    this.combiner = combiner;
    try {
      this.dispatched =
          new Dispatched(
              allocate(context, DType.I32, spec.experts() + 1),
              allocate(context, DType.I32, spec.maxSlots()),
              allocate(context, DType.I32, spec.maxSlots()),
              null);
      this.expertRows = allocate(context, DType.F32, spec.maxSlots(), spec.dModel());
      this.dRows = allocate(context, DType.F32, spec.maxSlots(), spec.dModel());
    } catch (MoeException e) {
      close();
      throw e;
    }
  }

  private Tensor allocate(StageContext context, DType type, long... dims) {
    Tensor tensor = context.backend().allocate(type, Shape.of(dims));
    owned.add(tensor);
    return tensor;
  }

  private Dispatched first(long tokens) {
    long slots = tokens * spec.topK();
    return new Dispatched(
        dispatched.offsets(),
        dispatched.assignments().slice(0, slots),
        dispatched.positions().slice(0, slots),
        null);
  }

  @Override
  public void run(Tensor tokens, Routing routing, Tensor out, DeviceStream stream) {
    long rows = tokens.shape().rows();
    if (rows > spec.maxTokens()) {
      throw new IllegalArgumentException("too many tokens");
    }
    Dispatched plan = first(rows);
    Tensor values = expertRows.slice(0, rows * spec.topK());
    dispatcher.dispatch(tokens, routing, plan, stream);
    experts.execute(tokens, plan, values, stream);
    combiner.combine(values, plan, routing, out, stream);
  }

  @Override
  public Optional<FusedMoe.Backward> backward() {
    return spec.training() ? Optional.of(this) : Optional.empty();
  }

  @Override
  public void backward(
      Tensor tokens,
      Routing routing,
      Tensor dOut,
      Tensor dGates,
      Tensor dTokens,
      DeviceStream stream) {
    long rows = tokens.shape().rows();
    Dispatched plan = first(rows);
    Tensor values = expertRows.slice(0, rows * spec.topK());
    Tensor gradients = dRows.slice(0, rows * spec.topK());
    combiner.backward().orElseThrow().backward(dOut, values, plan, routing, values, dGates, stream);
    experts.backward().orElseThrow().backward(tokens, plan, values, gradients, stream);
    dispatcher.backward().orElseThrow().backward(gradients, plan, dTokens, stream);
  }

  @Override
  public void close() {
    owned.forEach(Tensor::close);
    combiner.close();
    experts.close();
    dispatcher.close();
  }
}
