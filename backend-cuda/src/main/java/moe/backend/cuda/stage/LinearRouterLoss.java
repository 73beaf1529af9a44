package moe.backend.cuda.stage;

import moe.backend.cuda.CudaStream;
import moe.backend.cuda.CudaTensor;
import moe.backend.cuda.Kernel;
import moe.backend.cuda.Operation;
import moe.backend.cuda.Products;
import moe.spi.device.Activation;
import moe.spi.device.DeviceStream;
import moe.spi.device.LinearWeights;
import moe.spi.device.Tensor;
import moe.spi.stage.AuxiliaryWeights;
import moe.spi.stage.LayerSpec;
import moe.spi.stage.Router;
import moe.spi.stage.Routing;

/// The auxiliary loss of a router whose logits are a linear layer: here every logit has a gradient,
/// not only those of the chosen experts.
final class LinearRouterLoss implements Router.AuxiliaryLoss {
  private static final Operation BACKWARD = new Operation("auxiliary loss");
  private static final Kernel SHARE = new Kernel("auxiliary_loss", "moe_auxiliary_share");
  private static final Kernel ROWS = new Kernel("auxiliary_loss", "moe_auxiliary_rows");
  private static final Kernel SUM = new Kernel("auxiliary_loss", "moe_auxiliary_sum");
  private static final int TOKENS_PER_BLOCK = 8;
  private static final int BLOCK = 1024;

  private final LayerSpec spec;
  private final StageMemory memory;
  private final Products products;
  private final LinearWeights weights;
  private final LinearWeights gradients;
  private final Tensor logits;
  private final CudaTensor dLogits; // [maxTokens, experts]
  private final CudaTensor share; // [experts]
  private final CudaTensor parts; // F64 [2, maxTokens]

  /// @param gradients of the parameters `router`
  /// @param logits `[maxTokens, experts]` of the last forward
  LinearRouterLoss(
      LayerSpec spec,
      StageMemory memory,
      Products products,
      LinearWeights weights,
      LinearWeights gradients,
      Tensor logits) {
    this.spec = spec;
    this.memory = memory;
    this.products = products;
    this.weights = weights;
    this.gradients = gradients;
    this.logits = logits;
    this.dLogits = memory.floats(spec.maxTokens(), spec.experts());
    this.share = memory.floats(spec.experts());
    this.parts = memory.floats(2L * spec.maxTokens(), 2);
  }

  @Override
  public void backward(
      Tensor tokens,
      Routing routing,
      AuxiliaryWeights factors,
      Tensor losses,
      Tensor dTokens,
      DeviceStream stream) {
    memory.checkOpen();
    CudaStream queue = CudaStream.of(stream);
    int rows = Calls.tokens(BACKWARD, tokens, spec);
    int slots = rows * spec.topK();
    Calls.routing(BACKWARD, routing, rows, spec);
    BACKWARD.floats("losses", losses, 2);
    BACKWARD.matrix("dTokens", dTokens, rows, spec.dModel());
    queue
        .launch(SHARE, BLOCK, 1, 1, 1)
        .tensor(routing.expertIds())
        .tensor(share)
        .number(slots)
        .number(spec.experts())
        .run();
    queue
        .launch(ROWS, 256, Math.ceilDiv(rows, TOKENS_PER_BLOCK), 1, 1)
        .tensor(logits)
        .tensor(share)
        .tensor(dLogits)
        .tensor(parts)
        .number(rows)
        .number(spec.experts())
        .real(factors.balance())
        .real(factors.z())
        .run();
    queue
        .launch(SUM, BLOCK, 1, 1, 1)
        .tensor(parts)
        .tensor(losses)
        .number(rows)
        .number(spec.experts())
        .real(factors.balance())
        .real(factors.z())
        .run();
    products.backInput(
        queue,
        Products.Groups.ONE,
        rows,
        dLogits,
        weights.weight(),
        Activation.NONE,
        null,
        dTokens,
        true);
    products.backWeight(
        queue, Products.Groups.ONE, rows, dLogits, tokens, gradients.weight(), gradients.bias());
  }
}
