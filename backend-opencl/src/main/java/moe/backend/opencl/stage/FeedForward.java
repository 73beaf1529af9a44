package moe.backend.opencl.stage;

import moe.backend.opencl.kernel.Region;
import moe.backend.opencl.kernel.SlotRows;
import moe.backend.opencl.kernel.WorkQueue;
import moe.spi.stage.StageContext;

/// The experts' networks over rows sorted by expert.
interface FeedForward {
  /// Fills `out [slots, dModel]`, and keeps what backward needs if the block trains.
  void forward(Slots slots, Region out, WorkQueue queue);

  /// Fills `dRows [slots, dModel]` and adds to the gradients of the parameters.
  ///
  /// @param slots those of the forward pass
  /// @param dOut the gradient of `out`, not yet packed
  void backward(Slots slots, SlotRows dOut, Region dRows, WorkQueue queue);

  /// The network that a block's spec asks for.
  static FeedForward of(StageParts parts, StageContext context) {
    return context.spec().gated()
        ? new GatedFeedForward(parts, context)
        : new PlainFeedForward(parts, context);
  }
}
