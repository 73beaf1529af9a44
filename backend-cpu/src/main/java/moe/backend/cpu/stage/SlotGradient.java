package moe.backend.cpu.stage;

import moe.backend.cpu.kernel.Floats;
import moe.backend.cpu.kernel.GroupedBackwardInput;
import moe.backend.cpu.kernel.GroupedBackwardWeight;
import moe.backend.cpu.kernel.Ints;
import org.jspecify.annotations.Nullable;

/// The gradient of the experts' output: rows sorted by expert, or the gradient of the block's
/// output, of which each row takes its token's times its gate. Reused from call to call.
final class SlotGradient {
  private final int width;
  private final int topK;
  private Floats values = new Floats(new float[0], 0);
  private @Nullable Ints assignments;
  private @Nullable Floats gates;

  SlotGradient(int width, int topK) {
    this.width = width;
    this.topK = topK;
  }

  /// Rows sorted by expert.
  SlotGradient sorted(Floats rows) {
    values = rows;
    assignments = null;
    gates = null;
    return this;
  }

  /// `gates[a]·dOut[a / topK]` for the assignment `a` of each row.
  SlotGradient gathered(Floats dOut, Ints assignments, Floats gates) {
    values = dOut;
    this.assignments = assignments;
    this.gates = gates;
    return this;
  }

  GroupedBackwardInput into(GroupedBackwardInput call) {
    call.gradient(values, width);
    if (assignments != null && gates != null) {
      call.gather(assignments, topK).gates(gates);
    }
    return call;
  }

  GroupedBackwardWeight into(GroupedBackwardWeight call) {
    call.gradient(values, width);
    if (assignments != null && gates != null) {
      call.gatherGradient(assignments, topK).gates(gates);
    }
    return call;
  }
}
