package moe.backend.cpu.stage;

import moe.backend.cpu.Operation;
import moe.backend.cpu.kernel.Ints;
import moe.spi.device.Tensor;
import moe.spi.stage.Dispatched;
import moe.spi.stage.LayerSpec;
import moe.spi.stage.Routing;

/// What the stages check of each call.
final class Calls {
  private Calls() {}

  /// The number of tokens of a call.
  static int tokens(Operation operation, Tensor tokens, LayerSpec spec) {
    long rows = tokens.shape().rows();
    operation.require(
        rows <= spec.maxTokens(),
        "the number of tokens",
        rows,
        "must be at most the block's maxTokens",
        spec.maxTokens());
    operation.matrix("tokens", tokens, rows, spec.dModel());
    return (int) rows;
  }

  /// The expert of each slot, −1 for none.
  static Ints expertIds(Operation operation, Routing routing, int tokens, LayerSpec spec) {
    long slots = (long) tokens * spec.topK();
    return operation.indexes("expertIds", routing.expertIds(), slots, -1, spec.experts());
  }

  /// The row of each slot, −1 for none.
  static Ints positions(Operation operation, Dispatched dispatched, int tokens, LayerSpec spec) {
    long slots = (long) tokens * spec.topK();
    return operation.indexes("positions", dispatched.positions(), slots, -1, slots);
  }

  /// Where the rows of each expert begin: ascending from 0 to at most the number of slots.
  static Ints offsets(Operation operation, Dispatched dispatched, int tokens, LayerSpec spec) {
    long slots = (long) tokens * spec.topK();
    int n = spec.experts() + 1;
    Ints offsets = operation.indexes("offsets", dispatched.offsets(), n, 0, slots + 1);
    operation.require(offsets.get(0) == 0, "offsets[0]", offsets.get(0), "must be", 0);
    for (int expert = 1; expert < n; expert++) {
      operation.require(
          offsets.get(expert) >= offsets.get(expert - 1),
          "an offset",
          offsets.get(expert),
          "must be at least the one before it",
          offsets.get(expert - 1));
    }
    return offsets;
  }

  /// The slot of each row in use.
  static Ints assignments(
      Operation operation, Dispatched dispatched, Ints offsets, int tokens, LayerSpec spec) {
    int slots = tokens * spec.topK();
    Ints assignments = operation.ints("assignments", dispatched.assignments(), slots);
    operation.range("assignments", assignments, offsets.get(spec.experts()), 0, slots);
    return assignments;
  }
}
