package moe.backend.opencl.stage;

import java.util.Optional;
import moe.backend.opencl.OpenClStream;
import moe.backend.opencl.Operation;
import moe.backend.opencl.kernel.Region;
import moe.backend.opencl.kernel.SlotRows;
import moe.backend.opencl.kernel.WorkQueue;
import moe.spi.device.DeviceStream;
import moe.spi.device.Tensor;
import moe.spi.stage.Dispatched;
import moe.spi.stage.ExpertExecutor;
import moe.spi.stage.LayerSpec;
import moe.spi.stage.StageContext;
import org.jspecify.annotations.Nullable;

/// The experts' networks as grouped products that gather the tokens themselves.
final class FusedFfnExecutor implements ExpertExecutor, ExpertExecutor.Backward {
  private static final Operation EXECUTE = new Operation("fused-ffn execute");
  private static final Operation BACKWARD = new Operation("fused-ffn backward");

  private final LayerSpec spec;
  private final StageParts parts;
  private final FeedForward network;
  private final Slots slots;
  private final @Nullable SlotRows gradient;

  FusedFfnExecutor(StageParts parts, StageContext context) {
    this.parts = parts;
    spec = context.spec();
    network = FeedForward.of(parts, context);
    slots = new Slots(parts, spec);
    gradient =
        spec.training()
            ? SlotRows.of(
                parts.kernels, parts.memory, spec.maxSlots(), spec.experts(), spec.dModel())
            : null;
  }

  @Override
  public boolean needsRows() {
    return false;
  }

  @Override
  public void execute(Tensor tokens, Dispatched in, Tensor expertRows, DeviceStream stream) {
    WorkQueue queue = OpenClStream.queue(stream);
    setSlots(EXECUTE, tokens, in);
    Region out = EXECUTE.matrix("expertRows", expertRows, slots.rows, spec.dModel());
    network.forward(slots, out, queue);
  }

  @Override
  public Optional<ExpertExecutor.Backward> backward() {
    return gradient == null ? Optional.empty() : Optional.of(this);
  }

  @Override
  public void backward(
      Tensor tokens, Dispatched in, Tensor dExpertRows, Tensor dRows, DeviceStream stream) {
    WorkQueue queue = OpenClStream.queue(stream);
    if (gradient == null) {
      throw new IllegalStateException("the block was created for inference");
    }
    setSlots(BACKWARD, tokens, in);
    Region d = BACKWARD.matrix("dExpertRows", dExpertRows, slots.rows, spec.dModel());
    Region to = BACKWARD.matrix("dRows", dRows, slots.rows, spec.dModel());
    network.backward(slots, gradient.plain(d, spec.dModel()), to, queue);
  }

  @Override
  public void close() {
    parts.close();
  }

  private void setSlots(Operation operation, Tensor tokens, Dispatched in) {
    parts.checkOpen();
    int rows = Calls.tokens(operation, tokens, spec);
    slots.set(
        operation.matrix("tokens", tokens, rows, spec.dModel()),
        Calls.offsets(operation, in, spec),
        Calls.assignments(operation, in, rows, spec),
        rows * spec.topK());
  }
}
