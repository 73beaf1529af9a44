package moe.backend.cpu.stage;

import java.util.Optional;
import moe.backend.cpu.CpuBackend;
import moe.backend.cpu.CpuStream;
import moe.backend.cpu.Operation;
import moe.backend.cpu.kernel.Floats;
import moe.backend.cpu.kernel.GatherSum;
import moe.backend.cpu.kernel.Ints;
import moe.backend.cpu.kernel.SortedPlan;
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
  private final GatherSum sum;

  SortedDispatcher(CpuBackend backend, LayerSpec spec) {
    this.spec = spec;
    this.sum = new GatherSum(backend.threads(), backend.loops());
  }

  @Override
  public boolean copiesRows() {
    return false;
  }

  @Override
  public void dispatch(Tensor tokens, Routing routing, Dispatched out, DeviceStream stream) {
    CpuStream.of(stream);
    int rows = Calls.tokens(DISPATCH, tokens, spec);
    int slots = rows * spec.topK();
    SortedPlan.plan(
        Calls.expertIds(DISPATCH, routing, rows, spec),
        slots,
        spec.experts(),
        DISPATCH.ints("offsets", out.offsets(), spec.experts() + 1L),
        DISPATCH.ints("assignments", out.assignments(), slots),
        DISPATCH.ints("positions", out.positions(), slots));
  }

  @Override
  public Optional<Dispatcher.Backward> backward() {
    return Optional.of(this);
  }

  @Override
  public void backward(Tensor dRows, Dispatched dispatched, Tensor dTokens, DeviceStream stream) {
    CpuStream.of(stream);
    int rows = Calls.tokens(BACKWARD, dTokens, spec);
    int slots = rows * spec.topK();
    Ints positions = Calls.positions(BACKWARD, dispatched, rows, spec);
    Floats from = BACKWARD.matrix("dRows", dRows, slots, spec.dModel());
    Floats to = BACKWARD.matrix("dTokens", dTokens, rows, spec.dModel());
    sum.rows(from, positions, spec.topK(), spec.dModel()).add(to, rows);
  }

  @Override
  public void close() {}
}
