package moe.backend.cuda.stage;

import moe.backend.cuda.CudaBackend;
import moe.backend.cuda.CudaStream;
import moe.backend.cuda.CudaTensor;
import moe.backend.cuda.Kernel;
import moe.backend.cuda.Products;
import moe.spi.device.Activation;
import moe.spi.device.Tensor;
import moe.spi.stage.LayerSpec;
import moe.spi.stage.StageContext;
import org.jspecify.annotations.Nullable;

/// `W_down·(activation(W_gate·x + b_gate) ∘ (W_up·x + b_up)) + b_down`; Shazeer, arXiv 2002.05202.
final class GatedFeedForward implements FeedForward {
  private static final Kernel MULTIPLY = new Kernel("elementwise", "moe_multiply");
  private static final Kernel ACTIVATE_BACK = new Kernel("elementwise", "moe_activate_back");

  private final LayerSpec spec;
  private final ExpertLinear gate;
  private final ExpertLinear up;
  private final ExpertLinear down;
  private final CudaTensor gated;
  private final CudaTensor raised;
  private final @Nullable Kept kept;

  GatedFeedForward(CudaBackend backend, StageContext context, StageMemory memory) {
    spec = context.spec();
    gate = new ExpertLinear(backend, context, "experts.gate", spec.dHidden(), spec.dModel());
    up = new ExpertLinear(backend, context, "experts.up", spec.dHidden(), spec.dModel());
    down = new ExpertLinear(backend, context, "experts.down", spec.dModel(), spec.dHidden());
    gated = rows(memory);
    raised = rows(memory);
    kept =
        CudaStageFactory.trains(spec)
            ? new Kept(rows(memory), rows(memory), rows(memory), rows(memory))
            : null;
  }

  /// What backward needs besides, each `[slots, dHidden]`.
  ///
  /// @param pre what the activation was applied to
  /// @param hidden what the last product read
  /// @param dGate the gradient of the gate's product
  /// @param dUp the gradient of the other product
  private record Kept(CudaTensor pre, CudaTensor hidden, CudaTensor dGate, CudaTensor dUp) {}

  @Override
  public void forward(
      CudaStream stream,
      Products.Groups groups,
      int slots,
      Tensor tokens,
      Tensor positions,
      Tensor out) {
    CudaTensor pre = kept == null ? null : kept.pre;
    gate.forward(stream, groups, slots, tokens, spec.activation(), pre, gated);
    up.forward(stream, groups, slots, tokens, Activation.NONE, null, raised);
    CudaTensor hidden = kept == null ? raised : kept.hidden;
    multiply(stream, slots, gated, raised, hidden);
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
    if (kept == null) {
      throw new IllegalStateException("the block was created for inference");
    }
    Products.Groups sorted = groups.sorted();
    CudaTensor dHidden = kept.dGate;
    down.backInput(stream, sorted, slots, dOut, Activation.NONE, null, dHidden, false);
    down.backWeight(stream, sorted, slots, dOut, kept.hidden);
    multiply(stream, slots, dHidden, gated, kept.dUp);
    multiply(stream, slots, dHidden, raised, kept.dGate);
    long n = elements(slots);
    stream
        .each(ACTIVATE_BACK, n)
        .tensor(kept.pre)
        .tensor(kept.dGate)
        .tensor(kept.dGate)
        .wide(n)
        .activation(spec.activation())
        .run();
    up.backInput(stream, sorted, slots, kept.dUp, Activation.NONE, null, dRows, false);
    gate.backInput(stream, sorted, slots, kept.dGate, Activation.NONE, null, dRows, true);
    up.backWeight(stream, groups, slots, kept.dUp, tokens);
    gate.backWeight(stream, groups, slots, kept.dGate, tokens);
  }

  private void multiply(CudaStream stream, int slots, Tensor a, Tensor b, Tensor out) {
    long n = elements(slots);
    stream.each(MULTIPLY, n).tensor(a).tensor(b).tensor(out).wide(n).run();
  }

  private long elements(int slots) {
    return (long) slots * spec.dHidden();
  }

  private CudaTensor rows(StageMemory memory) {
    return memory.floats(spec.maxSlots(), spec.dHidden());
  }
}
