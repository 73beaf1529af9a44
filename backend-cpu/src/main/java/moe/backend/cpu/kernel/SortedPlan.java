package moe.backend.cpu.kernel;

/// Counting sort of assignments by expert. On one thread: it reads each id twice, which is nothing
/// beside the products that follow.
public final class SortedPlan {
  private SortedPlan() {}

  /// Fills `offsets [experts + 1]`, `assignments [slots]` (ascending within an expert) and
  /// `positions [slots]`.
  ///
  /// @param ids `[slots]`, −1 for an unused slot
  public static void plan(
      Ints ids, int slots, int experts, Ints offsets, Ints assignments, Ints positions) {
    int[] ends = offsets.array();
    int at = offsets.at();
    for (int expert = 0; expert <= experts; expert++) {
      ends[at + expert] = 0;
    }
    for (int slot = 0; slot < slots; slot++) {
      int expert = ids.get(slot);
      if (expert >= 0) {
        ends[at + expert + 1]++;
      }
    }
    for (int expert = 0; expert < experts; expert++) {
      ends[at + expert + 1] += ends[at + expert];
    }
    // offsets[e] is now the first row of expert e, and moves on as its rows are filled: in the end
    // to the first row of
    // the next expert, from where one shift brings all back.
    for (int slot = 0; slot < slots; slot++) {
      int expert = ids.get(slot);
      int position = expert < 0 ? -1 : ends[at + expert]++;
      positions.array()[positions.at() + slot] = position;
      if (position >= 0) {
        assignments.array()[assignments.at() + position] = slot;
      }
    }
    System.arraycopy(ends, at, ends, at + 1, experts);
    ends[at] = 0;
  }
}
