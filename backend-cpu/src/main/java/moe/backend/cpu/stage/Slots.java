package moe.backend.cpu.stage;

import moe.backend.cpu.kernel.Floats;
import moe.backend.cpu.kernel.Ints;

/// The rows of one call, sorted by expert. Reused from call to call.
final class Slots {
  private static final Floats NO_FLOATS = new Floats(new float[0], 0);
  private static final Ints NO_INTS = new Ints(new int[0], 0);

  /// `[tokens, dModel]`, in the order of the tokens.
  Floats tokens = NO_FLOATS;

  /// `[experts + 1]`: where the rows of each expert begin.
  Ints offsets = NO_INTS;

  /// Row → `token·topK + k`.
  Ints assignments = NO_INTS;

  /// How many rows there are.
  int used;

  void set(Floats tokens, Ints offsets, Ints assignments, int used) {
    this.tokens = tokens;
    this.offsets = offsets;
    this.assignments = assignments;
    this.used = used;
  }
}
