package moe.backend.cuda.stage;

import moe.backend.cuda.CudaBackend;
import moe.backend.cuda.CudaStream;
import moe.backend.cuda.Operation;
import moe.backend.cuda.Products;
import moe.spi.device.Activation;
import moe.spi.device.LinearWeights;
import moe.spi.device.Tensor;
import moe.spi.stage.StageContext;
import org.jspecify.annotations.Nullable;

/// One linear layer of all experts with its stacked parameters.
final class ExpertLinear {
  private final Products products;
  private final LinearWeights weights;
  private final @Nullable LinearWeights gradients;

  /// @param prefix of the parameters: `experts.up`
  /// @param out features out of the layer
  /// @param in features into it
  ExpertLinear(CudaBackend backend, StageContext context, String prefix, int out, int in) {
    products = backend.products();
    weights = context.parameters().linear(prefix);
    boolean trains = CudaStageFactory.trains(context.spec());
    gradients = trains ? context.parameters().linearGradients(prefix) : null;
    Operation operation = new Operation(prefix);
    long rows = (long) context.spec().experts() * out;
    operation.weight("weight", weights.weight(), rows, in);
    if (gradients != null) {
      operation.matrix("gradient of weight", gradients.weight(), rows, in);
    }
  }

  /// `y = activation(W·x + b)`.
  void forward(
      CudaStream stream,
      Products.Groups groups,
      int slots,
      Tensor x,
      Activation activation,
      @Nullable Tensor pre,
      Tensor y) {
    products.forward(
        stream, groups, slots, x, weights.weight(), weights.bias(), activation, pre, y);
  }

  /// `dX = Wᵀ·dY ∘ activation′(pre)`, or added to `dX`.
  void backInput(
      CudaStream stream,
      Products.Groups groups,
      int slots,
      Tensor dY,
      Activation activation,
      @Nullable Tensor pre,
      Tensor dX,
      boolean accumulate) {
    products.backInput(
        stream, groups, slots, dY, weights.weight(), activation, pre, dX, accumulate);
  }

  /// Adds to the gradients of the parameters.
  void backWeight(CudaStream stream, Products.Groups groups, int slots, Tensor dY, Tensor x) {
    if (gradients == null) {
      throw new IllegalStateException("the block was created for inference");
    }
    products.backWeight(stream, groups, slots, dY, x, gradients.weight(), gradients.bias());
  }
}
