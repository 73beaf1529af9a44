package moe.backend.cuda.stage;

import moe.backend.cuda.Operation;
import moe.backend.cuda.Products;
import moe.spi.device.Tensor;
import moe.spi.stage.Dispatched;
import moe.spi.stage.LayerSpec;
import moe.spi.stage.Routing;

/// What the stages check of each call. Ids and positions stay on the device: kernels skip what is
/// out of range.
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

  /// The expert and the gate of each slot.
  static void routing(Operation operation, Routing routing, int tokens, LayerSpec spec) {
    long slots = (long) tokens * spec.topK();
    operation.ints("expertIds", routing.expertIds(), slots);
    operation.floats("gates", routing.gates(), slots);
  }

  /// The rows of each expert, which gather from tokens.
  static Products.Groups groups(
      Operation operation, Dispatched dispatched, int tokens, LayerSpec spec) {
    operation.ints("offsets", dispatched.offsets(), spec.experts() + 1L);
    operation.ints("assignments", dispatched.assignments(), (long) tokens * spec.topK());
    return new Products.Groups(
        spec.experts(), dispatched.offsets(), dispatched.assignments(), spec.topK());
  }
}
