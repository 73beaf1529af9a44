package moe.backend.cpu.stage;

import moe.backend.cpu.CpuBackend;
import moe.backend.cpu.kernel.Floats;
import moe.spi.stage.StageContext;

/// The experts' networks over rows sorted by expert.
interface FeedForward {
  /// Fills `out [slots, dModel]`, and keeps what backward needs if the block trains.
  void forward(Slots slots, Floats out);

  /// Fills `dRows [slots, dModel]` and adds to the gradients of the parameters.
  ///
  /// @param slots those of the forward pass
  void backward(Slots slots, SlotGradient dOut, Floats dRows);

  /// The network that a block's spec asks for.
  static FeedForward of(CpuBackend backend, StageContext context, StageMemory memory) {
    return context.spec().gated()
        ? new GatedFeedForward(backend, context, memory)
        : new PlainFeedForward(backend, context, memory);
  }
}
