package moe.backend.opencl.stage;

import moe.backend.opencl.kernel.Groups;
import moe.backend.opencl.kernel.Region;
import moe.backend.opencl.kernel.SlotRows;
import moe.spi.stage.LayerSpec;

/// The rows of one call, sorted by expert: the tokens that belong to them, and which expert has
/// which. Reused from call to call.
final class Slots {
  /// The tokens, gathered.
  final SlotRows tokens;

  /// Which rows are whose.
  final Groups groups = new Groups();

  private final LayerSpec spec;

  /// At most so many rows are in use.
  int rows;

  Slots(StageParts parts, LayerSpec spec) {
    this.spec = spec;
    tokens =
        SlotRows.of(parts.kernels, parts.memory, spec.maxSlots(), spec.experts(), spec.dModel());
  }

  void set(Region x, Region offsets, Region assignments, int rows) {
    this.rows = rows;
    groups.sorted(offsets, spec.experts(), rows);
    tokens.gathered(x, spec.dModel(), assignments, spec.topK(), null);
  }
}
