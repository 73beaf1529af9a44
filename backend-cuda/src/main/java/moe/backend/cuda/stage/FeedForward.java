package moe.backend.cuda.stage;

import moe.backend.cuda.CudaBackend;
import moe.backend.cuda.CudaStream;
import moe.backend.cuda.HalfProducts;
import moe.backend.cuda.Products;
import moe.spi.device.Tensor;
import moe.spi.stage.StageContext;

/// The experts' networks over rows sorted by expert.
interface FeedForward {
  /// Fills `out [slots, dModel]`, and keeps what backward needs if the block trains.
  ///
  /// @param positions I32 `[tokens, topK]`, the row of each slot
  void forward(
      CudaStream stream,
      Products.Groups groups,
      int slots,
      Tensor tokens,
      Tensor positions,
      Tensor out);

  /// Fills `dRows [slots, dModel]` and adds to the gradients of the parameters.
  ///
  /// @param dOut F32 `[slots, dModel]`
  void backward(
      CudaStream stream,
      Products.Groups groups,
      int slots,
      Tensor tokens,
      Tensor dOut,
      Tensor dRows);

  /// The network that a block's spec asks for.
  static FeedForward of(CudaBackend backend, StageContext context, StageMemory memory) {
    HalfProducts half = HalfNetwork.productsFor(backend, context);
    // Two gradients of the rows would have to be added up in float32.
    boolean addsUp = context.spec().gated() && CudaStageFactory.trains(context.spec());
    if (half != null && !addsUp) {
      return new HalfFeedForward(half, context, memory);
    }
    return portable(backend, context, memory);
  }

  /// The same, with products for any GPU.
  static FeedForward portable(CudaBackend backend, StageContext context, StageMemory memory) {
    return context.spec().gated()
        ? new GatedFeedForward(backend, context, memory)
        : new PlainFeedForward(backend, context, memory);
  }
}
