package moe.backend.cpu.stage;

import java.util.Optional;
import moe.backend.cpu.CpuBackend;
import moe.backend.cpu.CpuStream;
import moe.backend.cpu.Operation;
import moe.backend.cpu.kernel.Floats;
import moe.backend.cpu.kernel.Ints;
import moe.spi.device.DeviceStream;
import moe.spi.device.Tensor;
import moe.spi.stage.Dispatched;
import moe.spi.stage.ExpertExecutor;
import moe.spi.stage.LayerSpec;
import moe.spi.stage.StageContext;

/// The experts' networks as grouped products that gather the tokens themselves.
final class FusedFfnExecutor implements ExpertExecutor, ExpertExecutor.Backward {
  private static final Operation EXECUTE = new Operation("fused-ffn execute");
  private static final Operation BACKWARD = new Operation("fused-ffn backward");

  private final LayerSpec spec;
  private final StageMemory memory;
  private final FeedForward network;
  private final Slots slots = new Slots();
  private final SlotGradient gradient;

  FusedFfnExecutor(CpuBackend backend, StageContext context) {
    spec = context.spec();
    memory = new StageMemory(backend);
    network = FeedForward.of(backend, context, memory);
    gradient = new SlotGradient(spec.dModel(), spec.topK());
  }

  @Override
  public boolean needsRows() {
    return false;
  }

  @Override
  public void execute(Tensor tokens, Dispatched in, Tensor expertRows, DeviceStream stream) {
    CpuStream.of(stream);
    int rows = setSlots(EXECUTE, tokens, in);
    network.forward(
        slots, EXECUTE.matrix("expertRows", expertRows, (long) rows * spec.topK(), spec.dModel()));
  }

  @Override
  public Optional<ExpertExecutor.Backward> backward() {
    return CpuStageFactory.trains(spec) ? Optional.of(this) : Optional.empty();
  }

  @Override
  public void backward(
      Tensor tokens, Dispatched in, Tensor dExpertRows, Tensor dRows, DeviceStream stream) {
    CpuStream.of(stream);
    long rows = (long) setSlots(BACKWARD, tokens, in) * spec.topK();
    Floats d = BACKWARD.matrix("dExpertRows", dExpertRows, rows, spec.dModel());
    Floats to = BACKWARD.matrix("dRows", dRows, rows, spec.dModel());
    network.backward(slots, gradient.sorted(d), to);
  }

  @Override
  public void close() {
    memory.close();
  }

  private int setSlots(Operation operation, Tensor tokens, Dispatched in) {
    memory.checkOpen();
    int rows = Calls.tokens(operation, tokens, spec);
    Ints offsets = Calls.offsets(operation, in, rows, spec);
    Ints assignments = Calls.assignments(operation, in, offsets, rows, spec);
    Floats x = operation.matrix("tokens", tokens, rows, spec.dModel());
    slots.set(x, offsets, assignments, offsets.get(spec.experts()));
    return rows;
  }
}
