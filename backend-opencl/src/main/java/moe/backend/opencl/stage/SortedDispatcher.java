package moe.backend.opencl.stage;

import java.util.Optional;
import moe.backend.opencl.OpenClStream;
import moe.backend.opencl.Operation;
import moe.backend.opencl.kernel.Combine;
import moe.backend.opencl.kernel.Region;
import moe.backend.opencl.kernel.SortedPlan;
import moe.backend.opencl.kernel.WorkQueue;
import moe.spi.device.DeviceStream;
import moe.spi.device.Tensor;
import moe.spi.stage.Dispatched;
import moe.spi.stage.Dispatcher;
import moe.spi.stage.LayerSpec;
import moe.spi.stage.Routing;

/// Plans on the device which rows belong to which expert, and leaves the tokens where they are: the
/// executor gathers them itself.
final class SortedDispatcher implements Dispatcher, Dispatcher.Backward {
  private static final Operation DISPATCH = new Operation("sorted dispatch");
  private static final Operation BACKWARD = new Operation("sorted backward");

  private final LayerSpec spec;
  private final StageParts parts;
  private final SortedPlan plan;
  private final Combine sum;
  private final Region scratch;

  SortedDispatcher(StageParts parts, LayerSpec spec) {
    this.parts = parts;
    this.spec = spec;
    plan = new SortedPlan(parts.kernels, spec.experts());
    sum = new Combine(parts.kernels, spec.topK(), spec.dModel());
    scratch = parts.memory.ints(SortedPlan.scratch(spec.maxSlots(), spec.experts()));
  }

  @Override
  public boolean copiesRows() {
    return false;
  }

  @Override
  public void dispatch(Tensor tokens, Routing routing, Dispatched out, DeviceStream stream) {
    WorkQueue queue = OpenClStream.queue(stream);
    parts.checkOpen();
    int rows = Calls.tokens(DISPATCH, tokens, spec);
    plan.run(
        Calls.expertIds(DISPATCH, routing, rows, spec),
        rows * spec.topK(),
        scratch,
        Calls.offsets(DISPATCH, out, spec),
        Calls.assignments(DISPATCH, out, rows, spec),
        Calls.positions(DISPATCH, out, rows, spec),
        queue);
  }

  @Override
  public Optional<Dispatcher.Backward> backward() {
    return Optional.of(this);
  }

  @Override
  public void backward(Tensor dRows, Dispatched dispatched, Tensor dTokens, DeviceStream stream) {
    WorkQueue queue = OpenClStream.queue(stream);
    parts.checkOpen();
    int rows = Calls.tokens(BACKWARD, dTokens, spec);
    Region positions = Calls.positions(BACKWARD, dispatched, rows, spec);
    Region from = BACKWARD.matrix("dRows", dRows, (long) rows * spec.topK(), spec.dModel());
    Region to = BACKWARD.matrix("dTokens", dTokens, rows, spec.dModel());
    sum.add(from, positions, to, rows, queue);
  }

  @Override
  public void close() {
    parts.close();
  }
}
