package moe.backend.cuda.stage;

import moe.backend.cuda.CudaStream;
import moe.backend.cuda.CudaTensor;
import moe.backend.cuda.HalfProducts;
import moe.backend.cuda.HalfRows;
import moe.backend.cuda.Products;
import moe.spi.device.Tensor;
import moe.spi.stage.LayerSpec;
import moe.spi.stage.StageContext;
import org.jspecify.annotations.Nullable;

/// The experts' networks in 16 bits between rows of float32, for the staged path.
final class HalfFeedForward implements FeedForward {
  private final HalfNetwork network;
  private final @Nullable CudaTensor dExpertRows;

  HalfFeedForward(HalfProducts products, StageContext context, StageMemory memory) {
    LayerSpec spec = context.spec();
    network = new HalfNetwork(products, context, memory);
    dExpertRows =
        CudaStageFactory.trains(spec)
            ? memory.halves(products, spec.maxSlots(), spec.dModel())
            : null;
  }

  @Override
  public void forward(
      CudaStream stream,
      Products.Groups groups,
      int slots,
      Tensor tokens,
      Tensor positions,
      Tensor out) {
    if (slots > 0) {
      network.forward(stream, groups, slots, tokens, positions, out, 1);
    }
  }

  @Override
  public void backward(
      CudaStream stream,
      Products.Groups groups,
      int slots,
      Tensor tokens,
      Tensor dOut,
      Tensor dRows) {
    if (dExpertRows == null) {
      throw new IllegalStateException("the block was created for inference");
    }
    if (slots > 0) {
      HalfRows.round(stream, dOut, dExpertRows, slots);
      network.backward(stream, groups, slots, dExpertRows, dRows, null);
    }
  }
}
