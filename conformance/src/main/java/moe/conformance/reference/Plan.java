package moe.conformance.reference;

import java.util.Arrays;

/// Assignments sorted by expert, and in their own order within one.
///
/// @param offsets `[experts + 1]`
/// @param assignments `[slots]`, −1 beyond the last row
/// @param positions `[slots]`, −1 for an unused slot
@SuppressWarnings("ArrayRecordComponent") // for plain loops; never compared
public record Plan(int[] offsets, int[] assignments, int[] positions) {
  public static Plan of(int[] ids, int experts) {
    int[] offsets = new int[experts + 1];
    int[] assignments = new int[ids.length];
    int[] positions = new int[ids.length];
    Arrays.fill(assignments, -1);
    Arrays.fill(positions, -1);
    int row = 0;
    for (int expert = 0; expert < experts; expert++) {
      offsets[expert] = row;
      for (int slot = 0; slot < ids.length; slot++) {
        if (ids[slot] == expert) {
          positions[slot] = row;
          assignments[row++] = slot;
        }
      }
    }
    offsets[experts] = row;
    return new Plan(offsets, assignments, positions);
  }

  /// The number of rows in use.
  public int rows() {
    return offsets[offsets.length - 1];
  }
}
