package moe.backend.opencl.stage;

import moe.backend.opencl.kernel.Region;
import moe.backend.opencl.kernel.SlotRows;
import moe.backend.opencl.kernel.WorkQueue;
import moe.spi.stage.LayerSpec;
import moe.spi.stage.StageContext;
import org.jspecify.annotations.Nullable;

/// `W_down·activation(W_up·x + b_up) + b_down`. Bias and activation are applied as the first
/// product stores.
final class PlainFeedForward implements FeedForward {
  private final LayerSpec spec;
  private final ExpertLinear up;
  private final ExpertLinear down;
  private final HiddenRows hidden;
  private final @Nullable HiddenRows before;
  private final @Nullable HiddenRows dHidden;

  PlainFeedForward(StageParts parts, StageContext context) {
    spec = context.spec();
    int experts = spec.experts();
    up =
        new ExpertLinear(
            parts.kernels, context, "experts.up", experts, spec.dHidden(), spec.dModel());
    down =
        new ExpertLinear(
            parts.kernels, context, "experts.down", experts, spec.dModel(), spec.dHidden());
    hidden = new HiddenRows(parts, spec);
    before = spec.training() ? new HiddenRows(parts, spec) : null;
    dHidden = spec.training() ? new HiddenRows(parts, spec) : null;
  }

  @Override
  public void forward(Slots slots, Region out, WorkQueue queue) {
    slots.tokens.pack(slots.groups, queue);
    up.forward()
        .activation(spec.activation(), before == null ? null : before.region)
        .inner(slots.tokens, slots.groups, hidden.region, queue);
    down.forward().rows(hidden.rows, slots.groups, out, queue);
  }

  @Override
  public void backward(Slots slots, SlotRows dOut, Region dRows, WorkQueue queue) {
    if (before == null || dHidden == null) {
      throw new IllegalStateException("the block was created for inference");
    }
    dOut.pack(slots.groups, queue);
    down.backwardInput()
        .through(spec.activation(), before.region)
        .inner(dOut, slots.groups, dHidden.region, queue);
    down.backwardWeight().run(dOut, hidden.rows, slots.groups, queue);
    up.backwardInput().rows(dHidden.rows, slots.groups, dRows, false, queue);
    up.backwardWeight().run(dHidden.rows, slots.tokens, slots.groups, queue);
  }
}
