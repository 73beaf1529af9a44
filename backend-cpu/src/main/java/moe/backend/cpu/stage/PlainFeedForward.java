package moe.backend.cpu.stage;

import moe.backend.cpu.CpuBackend;
import moe.backend.cpu.kernel.Floats;
import moe.backend.cpu.kernel.GroupedForward;
import moe.backend.cpu.kernel.SharedArrays;
import moe.spi.stage.LayerSpec;
import moe.spi.stage.StageContext;
import org.jspecify.annotations.Nullable;

/// `W_down·activation(W_up·x + b_up) + b_down`. The tokens are gathered as the first product reads
/// them; bias and activation are applied as it stores.
final class PlainFeedForward implements FeedForward {
  private final LayerSpec spec;
  private final ExpertLinear up;
  private final ExpertLinear down;
  private final Floats hidden;
  private final @Nullable Floats pre;
  private final SharedArrays arrays;

  PlainFeedForward(CpuBackend backend, StageContext context, StageMemory memory) {
    spec = context.spec();
    up = new ExpertLinear(backend, context, "experts.up", spec.dHidden(), spec.dModel());
    down = new ExpertLinear(backend, context, "experts.down", spec.dModel(), spec.dHidden());
    boolean trains = CpuStageFactory.trains(spec);
    int panelRows = GroupedForward.panelRows(backend.loops(), spec.maxSlots(), spec.experts());
    hidden = memory.floats(trains ? spec.maxSlots() : panelRows, spec.dHidden());
    pre = trains ? memory.floats(spec.maxSlots(), spec.dHidden()) : null;
    arrays = backend.threads().arrays();
  }

  @Override
  public void forward(Slots slots, Floats out) {
    GroupedForward first =
        up.forward()
            .activation(spec.activation())
            .input(slots.tokens, spec.dModel())
            .gather(slots.assignments, spec.topK());
    GroupedForward second = down.forward().output(out, spec.dModel());
    if (pre == null) {
      first.outputPanels(hidden).run(slots.offsets);
      second.inputPanels(hidden).run(slots.offsets);
    } else {
      first.preActivation(pre, spec.dHidden()).output(hidden, spec.dHidden()).run(slots.offsets);
      second.input(hidden, spec.dHidden()).run(slots.offsets);
    }
  }

  @Override
  public void backward(Slots slots, SlotGradient dOut, Floats dRows) {
    if (pre == null) {
      throw new IllegalStateException("the block was created for inference");
    }
    Floats dHidden = arrays.borrow(slots.used * spec.dHidden());
    try {
      backward(slots, dOut, dRows, pre, dHidden);
    } finally {
      arrays.giveBack(dHidden);
    }
  }

  private void backward(Slots slots, SlotGradient dOut, Floats dRows, Floats pre, Floats dHidden) {
    dOut.into(down.backwardInput())
        .through(spec.activation(), pre, spec.dHidden())
        .output(dHidden, spec.dHidden())
        .run(slots.offsets);
    dOut.into(down.backwardWeight()).input(hidden, spec.dHidden()).run(slots.offsets);
    up.backwardInput()
        .gradient(dHidden, spec.dHidden())
        .output(dRows, spec.dModel())
        .run(slots.offsets);
    up.backwardWeight()
        .gradient(dHidden, spec.dHidden())
        .input(slots.tokens, spec.dModel())
        .gatherInput(slots.assignments, spec.topK())
        .run(slots.offsets);
  }
}
