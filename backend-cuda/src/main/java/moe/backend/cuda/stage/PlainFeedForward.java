package moe.backend.cuda.stage;

import moe.backend.cuda.CudaBackend;
import moe.backend.cuda.CudaStream;
import moe.backend.cuda.CudaTensor;
import moe.backend.cuda.Products;
import moe.spi.device.Activation;
import moe.spi.device.Tensor;
import moe.spi.stage.LayerSpec;
import moe.spi.stage.StageContext;
import org.jspecify.annotations.Nullable;

/// `W_down·activation(W_up·x + b_up) + b_down`.
final class PlainFeedForward implements FeedForward {
  private final LayerSpec spec;
  private final ExpertLinear up;
  private final ExpertLinear down;
  private final CudaTensor hidden;
  private final @Nullable CudaTensor pre;
  private final @Nullable CudaTensor dHidden;

  PlainFeedForward(CudaBackend backend, StageContext context, StageMemory memory) {
    spec = context.spec();
    up = new ExpertLinear(backend, context, "experts.up", spec.dHidden(), spec.dModel());
    down = new ExpertLinear(backend, context, "experts.down", spec.dModel(), spec.dHidden());
    boolean trains = CudaStageFactory.trains(spec);
    hidden = memory.floats(spec.maxSlots(), spec.dHidden());
    pre = trains ? memory.floats(spec.maxSlots(), spec.dHidden()) : null;
    dHidden = trains ? memory.floats(spec.maxSlots(), spec.dHidden()) : null;
  }

  @Override
  public void forward(
      CudaStream stream,
      Products.Groups groups,
      int slots,
      Tensor tokens,
      Tensor positions,
      Tensor out) {
    up.forward(stream, groups, slots, tokens, spec.activation(), pre, hidden);
    down.forward(stream, groups.sorted(), slots, hidden, Activation.NONE, null, out);
  }

  @Override
  public void backward(
      CudaStream stream,
      Products.Groups groups,
      int slots,
      Tensor tokens,
      Tensor dOut,
      Tensor dRows) {
    if (pre == null || dHidden == null) {
      throw new IllegalStateException("the block was created for inference");
    }
    Products.Groups sorted = groups.sorted();
    down.backInput(stream, sorted, slots, dOut, spec.activation(), pre, dHidden, false);
    down.backWeight(stream, sorted, slots, dOut, hidden);
    up.backInput(stream, sorted, slots, dHidden, Activation.NONE, null, dRows, false);
    up.backWeight(stream, groups, slots, dHidden, tokens);
  }
}
