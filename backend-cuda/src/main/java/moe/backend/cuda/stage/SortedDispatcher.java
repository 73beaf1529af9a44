package moe.backend.cuda.stage;

import java.util.Optional;
import moe.backend.cuda.CudaBackend;
import moe.backend.cuda.CudaStream;
import moe.backend.cuda.Operation;
import moe.spi.device.DeviceStream;
import moe.spi.device.Tensor;
import moe.spi.stage.Dispatched;
import moe.spi.stage.Dispatcher;
import moe.spi.stage.LayerSpec;
import moe.spi.stage.Routing;

/// Plans which rows belong to which expert, and leaves the tokens where they are: the executor
/// reads them in this order itself.
final class SortedDispatcher implements Dispatcher, Dispatcher.Backward {
  private static final Operation DISPATCH = new Operation("sorted dispatch");
  private static final Operation BACKWARD = new Operation("sorted backward");

  private final LayerSpec spec;
  private final StageMemory memory;
  private final SortedPlan plan;

  SortedDispatcher(CudaBackend backend, LayerSpec spec) {
    this.spec = spec;
    this.memory = new StageMemory(backend);
    this.plan = new SortedPlan(spec, memory);
  }

  @Override
  public boolean copiesRows() {
    return false;
  }

  @Override
  public void dispatch(Tensor tokens, Routing routing, Dispatched out, DeviceStream stream) {
    memory.checkOpen();
    int rows = Calls.tokens(DISPATCH, tokens, spec);
    int slots = rows * spec.topK();
    Calls.routing(DISPATCH, routing, rows, spec);
    DISPATCH.ints("offsets", out.offsets(), spec.experts() + 1L);
    DISPATCH.ints("assignments", out.assignments(), slots);
    DISPATCH.ints("positions", out.positions(), slots);
    plan.run(
        CudaStream.of(stream),
        routing.expertIds(),
        slots,
        out.offsets(),
        out.assignments(),
        out.positions());
  }

  @Override
  public Optional<Dispatcher.Backward> backward() {
    return Optional.of(this);
  }

  @Override
  public void backward(Tensor dRows, Dispatched dispatched, Tensor dTokens, DeviceStream stream) {
    int rows = Calls.tokens(BACKWARD, dTokens, spec);
    long slots = (long) rows * spec.topK();
    BACKWARD.ints("positions", dispatched.positions(), slots);
    BACKWARD.matrix("dRows", dRows, slots, spec.dModel());
    GatherSum.run(
        CudaStream.of(stream), spec, rows, dRows, dispatched.positions(), null, dTokens, true);
  }

  @Override
  public void close() {
    memory.close();
  }
}
