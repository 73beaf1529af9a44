package moe.backend.cpu.stage;

import moe.backend.cpu.CpuBackend;
import moe.backend.cpu.kernel.Elementwise;
import moe.backend.cpu.kernel.Floats;
import moe.backend.cpu.kernel.GroupedBackwardWeight;
import moe.backend.cpu.kernel.GroupedForward;
import moe.backend.cpu.kernel.SharedArrays;
import moe.spi.stage.LayerSpec;
import moe.spi.stage.StageContext;
import org.jspecify.annotations.Nullable;

/// `W_down·(activation(W_gate·x + b_gate) ∘ (W_up·x + b_up)) + b_down`; Shazeer, arXiv 2002.05202.
final class GatedFeedForward implements FeedForward {
  private final LayerSpec spec;
  private final ExpertLinear gate;
  private final ExpertLinear up;
  private final ExpertLinear down;
  private final Elementwise elementwise;
  private final Floats gated;
  private final Floats raised;
  private final @Nullable Kept kept;
  private final SharedArrays arrays;

  GatedFeedForward(CpuBackend backend, StageContext context, StageMemory memory) {
    spec = context.spec();
    gate = new ExpertLinear(backend, context, "experts.gate", spec.dHidden(), spec.dModel());
    up = new ExpertLinear(backend, context, "experts.up", spec.dHidden(), spec.dModel());
    down = new ExpertLinear(backend, context, "experts.down", spec.dModel(), spec.dHidden());
    elementwise = new Elementwise(backend.threads(), backend.loops());
    boolean trains = CpuStageFactory.trains(spec);
    int panelRows = GroupedForward.panelRows(backend.loops(), spec.maxSlots(), spec.experts());
    gated = trains ? rows(memory) : memory.floats(panelRows, spec.dHidden());
    raised = trains ? rows(memory) : memory.floats(panelRows, spec.dHidden());
    kept = trains ? new Kept(rows(memory), rows(memory)) : null;
    arrays = backend.threads().arrays();
  }

  /// What backward needs besides, each `[slots, dHidden]`.
  ///
  /// @param pre what the activation was applied to
  /// @param hidden what the last product read
  private record Kept(Floats pre, Floats hidden) {}

  @Override
  public void forward(Slots slots, Floats out) {
    int width = spec.dHidden();
    GroupedForward first = tokens(slots, gate).activation(spec.activation());
    GroupedForward second = tokens(slots, up);
    GroupedForward third = down.forward().output(out, spec.dModel());
    if (kept == null) {
      first.outputPanels(gated).run(slots.offsets);
      second.outputPanels(raised).run(slots.offsets);
      elementwise.multiply(gated, raised, raised, second.panelRows() * width);
      third.inputPanels(raised).run(slots.offsets);
    } else {
      first.preActivation(kept.pre, width).output(gated, width).run(slots.offsets);
      second.output(raised, width).run(slots.offsets);
      elementwise.multiply(gated, raised, kept.hidden, slots.used * width);
      third.input(kept.hidden, width).run(slots.offsets);
    }
  }

  @Override
  public void backward(Slots slots, SlotGradient dOut, Floats dRows) {
    if (kept == null) {
      throw new IllegalStateException("the block was created for inference");
    }
    Floats dGate = arrays.borrow(slots.used * spec.dHidden());
    Floats dUp = arrays.borrow(slots.used * spec.dHidden());
    try {
      backward(slots, dOut, dRows, kept, dGate, dUp);
    } finally {
      arrays.giveBack(dUp);
      arrays.giveBack(dGate);
    }
  }

  private void backward(
      Slots slots, SlotGradient dOut, Floats dRows, Kept kept, Floats dGate, Floats dUp) {
    int width = spec.dHidden();
    int n = slots.used * width;
    Floats dHidden = dGate;
    dOut.into(down.backwardInput()).output(dHidden, width).run(slots.offsets);
    dOut.into(down.backwardWeight()).input(kept.hidden, width).run(slots.offsets);
    elementwise.multiply(dHidden, gated, dUp, n);
    elementwise.multiply(dHidden, raised, dGate, n);
    elementwise.activateBackward(spec.activation(), kept.pre, dGate, dGate, n);
    up.backwardInput().gradient(dUp, width).output(dRows, spec.dModel()).run(slots.offsets);
    gate.backwardInput()
        .gradient(dGate, width)
        .output(dRows, spec.dModel())
        .accumulate()
        .run(slots.offsets);
    weight(slots, up.backwardWeight(), dUp);
    weight(slots, gate.backwardWeight(), dGate);
  }

  private GroupedForward tokens(Slots slots, ExpertLinear layer) {
    return layer
        .forward()
        .input(slots.tokens, spec.dModel())
        .gather(slots.assignments, spec.topK());
  }

  private void weight(Slots slots, GroupedBackwardWeight call, Floats d) {
    call.gradient(d, spec.dHidden())
        .input(slots.tokens, spec.dModel())
        .gatherInput(slots.assignments, spec.topK())
        .run(slots.offsets);
  }

  private Floats rows(StageMemory memory) {
    return memory.floats(spec.maxSlots(), spec.dHidden());
  }
}
