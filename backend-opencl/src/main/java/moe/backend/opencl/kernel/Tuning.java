package moe.backend.opencl.kernel;

import moe.backend.opencl.driver.FoundDevice;
import moe.backend.opencl.driver.FoundDevice.Kind;

/// How work is cut on a device.
///
/// On a processor a group is one work-item that walks along its row in long vectors: a barrier
/// between work-items costs a loop over all of them. On everything else the work-items of a group
/// share a row.
///
/// @param processor whether the device is a processor
/// @param group work-items that share a row
/// @param width floats of a step along a row
/// @param stretch elements of a work-item where rows do not matter
/// @param tileRows rows of weights that a processor's registers hold sums for, beside 16 tokens
record Tuning(boolean processor, int group, int width, int stretch, int tileRows) {
  /// Lanes of a panel: tokens whose sums lie side by side in vectors.
  static final int LANES = 16;

  /// Rows of a block of panels, whose weights are read once.
  static final int BLOCK_ROWS = 16 * LANES;

  /// Features of a work-item are at most so many.
  private static final int MOST_FEATURES = 48;

  private static final int GPU_GROUP = 64;

  static Tuning of(FoundDevice device) {
    if (device.kind() == Kind.CPU) {
      // Sums fill most registers: 12 of 16 with 8 floats each, or 12 of 32 with 16 floats.
      return new Tuning(true, 1, LANES, 4096, device.vectorFloats() >= 16 ? 12 : 6);
    }
    return new Tuning(false, Math.min(GPU_GROUP, device.maxGroup()), 1, 1, 0);
  }

  /// Features of a processor's work-item: whole tiles.
  int tileFeatures() {
    return MOST_FEATURES / tileRows * tileRows;
  }

  /// Options that tell a kernel's source all this.
  String options() {
    return "-cl-std=CL1.2 -w -DGROUP=%d -DWIDTH=%d -DSTRETCH=%d -DTILE_ROWS=%d"
        .formatted(group, width, stretch, Math.max(1, tileRows));
  }

  /// Work-items of a group for kernels of independent items.
  int itemsOfGroup() {
    return processor ? 64 : 128;
  }

  /// Work-items of a group that lies along a row.
  int itemsOfRow() {
    return processor ? 256 : 64;
  }
}
