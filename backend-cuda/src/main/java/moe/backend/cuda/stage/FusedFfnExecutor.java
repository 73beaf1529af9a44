package moe.backend.cuda.stage;

import java.util.Optional;
import moe.backend.cuda.CudaBackend;
import moe.backend.cuda.CudaStream;
import moe.backend.cuda.Operation;
import moe.backend.cuda.Products;
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

  FusedFfnExecutor(CudaBackend backend, StageContext context) {
    spec = context.spec();
    memory = new StageMemory(backend);
    network = FeedForward.of(backend, context, memory);
  }

  @Override
  public boolean needsRows() {
    return false;
  }

  @Override
  public void execute(Tensor tokens, Dispatched in, Tensor expertRows, DeviceStream stream) {
    memory.checkOpen();
    int rows = Calls.tokens(EXECUTE, tokens, spec);
    int slots = rows * spec.topK();
    Products.Groups groups = Calls.groups(EXECUTE, in, rows, spec);
    EXECUTE.ints("positions", in.positions(), slots);
    EXECUTE.matrix("expertRows", expertRows, slots, spec.dModel());
    network.forward(CudaStream.of(stream), groups, slots, tokens, in.positions(), expertRows);
  }

  @Override
  public Optional<ExpertExecutor.Backward> backward() {
    return CudaStageFactory.trains(spec) ? Optional.of(this) : Optional.empty();
  }

  @Override
  public void backward(
      Tensor tokens, Dispatched in, Tensor dExpertRows, Tensor dRows, DeviceStream stream) {
    memory.checkOpen();
    int rows = Calls.tokens(BACKWARD, tokens, spec);
    int slots = rows * spec.topK();
    Products.Groups groups = Calls.groups(BACKWARD, in, rows, spec);
    BACKWARD.matrix("dExpertRows", dExpertRows, slots, spec.dModel());
    BACKWARD.matrix("dRows", dRows, slots, spec.dModel());
    network.backward(CudaStream.of(stream), groups, slots, tokens, dExpertRows, dRows);
  }

  @Override
  public void close() {
    memory.close();
  }
}
