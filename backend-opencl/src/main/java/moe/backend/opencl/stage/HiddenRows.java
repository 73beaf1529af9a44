package moe.backend.opencl.stage;

import moe.backend.opencl.kernel.Region;
import moe.backend.opencl.kernel.SlotRows;
import moe.spi.stage.LayerSpec;

/// Rows of the hidden layer, in the layout of the device.
final class HiddenRows {
  final Region region;

  /// The same, for a product to read.
  final SlotRows rows;

  HiddenRows(StageParts parts, LayerSpec spec) {
    region = parts.memory.floats(floats(parts, spec, spec.maxSlots()));
    rows = SlotRows.unpacked(parts.kernels).inner(region, spec.dHidden());
  }

  /// How many floats so many slots take.
  static long floats(StageParts parts, LayerSpec spec, int slots) {
    return SlotRows.innerFloats(parts.kernels.compute(), slots, spec.experts(), spec.dHidden());
  }
}
