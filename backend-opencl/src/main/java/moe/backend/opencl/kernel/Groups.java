package moe.backend.opencl.kernel;

import org.jspecify.annotations.Nullable;

/// Which rows belong to which expert. Where each expert's rows begin is known to the device alone,
/// so work is queued for as many blocks as there can be; those that do not exist end at once.
/// Reused from call to call.
public final class Groups {
  @Nullable Region offsets;
  int experts = 1;
  int rows;

  /// At most `rows` rows sorted by expert.
  ///
  /// @param offsets I32 `[experts + 1]`
  public Groups sorted(Region offsets, int experts, int rows) {
    this.offsets = offsets;
    this.experts = experts;
    this.rows = rows;
    return this;
  }

  /// All rows with the same weights.
  public Groups one(int rows) {
    this.offsets = null;
    this.experts = 1;
    this.rows = rows;
    return this;
  }

  /// How many blocks of `unit` rows of one expert there can be.
  long blocks(int unit) {
    return offsets == null ? Math.ceilDiv(rows, unit) : blocks(rows, experts, unit);
  }

  static long blocks(int rows, int experts, int unit) {
    return (long) rows / unit + Math.min(experts, rows);
  }
}
