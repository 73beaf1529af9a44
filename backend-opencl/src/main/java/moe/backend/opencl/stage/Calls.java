package moe.backend.opencl.stage;

import moe.backend.opencl.Operation;
import moe.backend.opencl.kernel.Region;
import moe.spi.device.Tensor;
import moe.spi.stage.Dispatched;
import moe.spi.stage.LayerSpec;
import moe.spi.stage.Routing;

/// What the stages check of each call: shapes and types. What lies in the tensors is on the device,
/// where kernels leave out what is out of range.
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
  static Region expertIds(Operation operation, Routing routing, int tokens, LayerSpec spec) {
    return operation.ints("expertIds", routing.expertIds(), (long) tokens * spec.topK());
  }

  /// The gate of each slot.
  static Region gates(Operation operation, Routing routing, int tokens, LayerSpec spec) {
    return operation.floats("gates", routing.gates(), (long) tokens * spec.topK());
  }

  /// The row of each slot, −1 for none.
  static Region positions(Operation operation, Dispatched dispatched, int tokens, LayerSpec spec) {
    return operation.ints("positions", dispatched.positions(), (long) tokens * spec.topK());
  }

  /// Where the rows of each expert begin.
  static Region offsets(Operation operation, Dispatched dispatched, LayerSpec spec) {
    return operation.ints("offsets", dispatched.offsets(), spec.experts() + 1L);
  }

  /// The slot of each row in use.
  static Region assignments(
      Operation operation, Dispatched dispatched, int tokens, LayerSpec spec) {
    return operation.ints("assignments", dispatched.assignments(), (long) tokens * spec.topK());
  }
}
