package moe.backend.opencl.stage;

import moe.backend.opencl.kernel.Elementwise;
import moe.backend.opencl.kernel.Region;
import moe.backend.opencl.kernel.SlotRows;
import moe.backend.opencl.kernel.WorkQueue;
import moe.spi.stage.LayerSpec;
import moe.spi.stage.StageContext;
import org.jspecify.annotations.Nullable;

/// `W_down·(activation(W_gate·x + b_gate) ∘ (W_up·x + b_up)) + b_down`; Shazeer, arXiv 2002.05202.
final class GatedFeedForward implements FeedForward {
  private final StageParts parts;
  private final LayerSpec spec;
  private final ExpertLinear gate;
  private final ExpertLinear up;
  private final ExpertLinear down;
  private final Elementwise elementwise;
  private final HiddenRows gated;
  private final HiddenRows raised;
  private final @Nullable Kept kept;

  GatedFeedForward(StageParts parts, StageContext context) {
    this.parts = parts;
    spec = context.spec();
    gate = raising(context, "experts.gate");
    up = raising(context, "experts.up");
    down =
        new ExpertLinear(
            parts.kernels, context, "experts.down", spec.experts(), spec.dModel(), spec.dHidden());
    elementwise = new Elementwise(parts.kernels);
    gated = new HiddenRows(parts, spec);
    raised = new HiddenRows(parts, spec);
    kept =
        spec.training()
            ? new Kept(
                new HiddenRows(parts, spec),
                new HiddenRows(parts, spec),
                new HiddenRows(parts, spec),
                new HiddenRows(parts, spec))
            : null;
  }

  /// What backward needs besides.
  ///
  /// @param before what the activation was applied to
  /// @param hidden what the last product read
  /// @param dGate the gradient of the gate's product
  /// @param dUp the gradient of the other product
  private record Kept(HiddenRows before, HiddenRows hidden, HiddenRows dGate, HiddenRows dUp) {}

  @Override
  public void forward(Slots slots, Region out, WorkQueue queue) {
    slots.tokens.pack(slots.groups, queue);
    gate.forward()
        .activation(spec.activation(), kept == null ? null : kept.before.region)
        .inner(slots.tokens, slots.groups, gated.region, queue);
    up.forward().inner(slots.tokens, slots.groups, raised.region, queue);
    HiddenRows hidden = kept == null ? raised : kept.hidden;
    long n = HiddenRows.floats(parts, spec, slots.rows);
    elementwise.multiply(gated.region, raised.region, hidden.region, n, queue);
    down.forward().rows(hidden.rows, slots.groups, out, queue);
  }

  @Override
  public void backward(Slots slots, SlotRows dOut, Region dRows, WorkQueue queue) {
    if (kept == null) {
      throw new IllegalStateException("the block was created for inference");
    }
    Region dGate = kept.dGate.region;
    long n = HiddenRows.floats(parts, spec, slots.rows);
    dOut.pack(slots.groups, queue);
    down.backwardInput().inner(dOut, slots.groups, dGate, queue);
    down.backwardWeight().run(dOut, kept.hidden.rows, slots.groups, queue);
    elementwise.multiply(dGate, gated.region, kept.dUp.region, n, queue);
    elementwise.multiply(dGate, raised.region, dGate, n, queue);
    elementwise.activateBackward(spec.activation(), kept.before.region, dGate, dGate, n, queue);
    up.backwardInput().rows(kept.dUp.rows, slots.groups, dRows, false, queue);
    gate.backwardInput().rows(kept.dGate.rows, slots.groups, dRows, true, queue);
    up.backwardWeight().run(kept.dUp.rows, slots.tokens, slots.groups, queue);
    gate.backwardWeight().run(kept.dGate.rows, slots.tokens, slots.groups, queue);
  }

  private ExpertLinear raising(StageContext context, String prefix) {
    return new ExpertLinear(
        parts.kernels, context, prefix, spec.experts(), spec.dHidden(), spec.dModel());
  }
}
