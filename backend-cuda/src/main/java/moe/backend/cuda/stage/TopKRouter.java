package moe.backend.cuda.stage;

import java.util.Optional;
import moe.backend.cuda.CudaBackend;
import moe.backend.cuda.CudaStream;
import moe.backend.cuda.CudaTensor;
import moe.backend.cuda.HalfProducts;
import moe.backend.cuda.Kernel;
import moe.backend.cuda.Operation;
import moe.backend.cuda.Products;
import moe.spi.device.Activation;
import moe.spi.device.DType;
import moe.spi.device.DeviceStream;
import moe.spi.device.LinearWeights;
import moe.spi.device.Tensor;
import moe.spi.stage.LayerSpec;
import moe.spi.stage.Router;
import moe.spi.stage.Routing;
import moe.spi.stage.StageContext;
import org.jspecify.annotations.Nullable;

/// A linear layer, the best `topK` of its logits, and the softmax over these.
final class TopKRouter implements Router {
  private static final Operation ROUTE = new Operation("topk route");
  private static final Operation BACKWARD = new Operation("topk backward");
  private static final Kernel TOP_K = new Kernel("topk", "moe_topk");
  private static final Kernel TOP_K_BACK = new Kernel("topk", "moe_topk_back");
  private static final int TOKENS_PER_BLOCK = 8;

  private final LayerSpec spec;
  private final Products products;
  private final LinearWeights weights;
  private final StageMemory memory;
  private final CudaTensor logits;
  private final CudaTensor balanceBias;
  private final @Nullable Gradient gradient;
  private final @Nullable LinearRouterLoss loss;
  private final @Nullable SplitRouter split;
  private final FewRouter few;
  private final boolean leavesRounded; // tokens in bf16, for the experts
  private final boolean keepsLogits;

  /// @param keepsLogits whether others read the logits of each call; training does in any case
  TopKRouter(CudaBackend backend, StageContext context, boolean keepsLogits) {
    spec = context.spec();
    products = backend.exactProducts();
    weights = context.parameters().linear("router");
    memory = new StageMemory(backend);
    logits = memory.floats(spec.maxTokens(), spec.experts());
    balanceBias = memory.floats(spec.experts());
    if (CudaStageFactory.trains(spec)) {
      LinearWeights gradients = context.parameters().linearGradients("router");
      gradient = new Gradient(gradients);
      loss = new LinearRouterLoss(spec, memory, products, weights, gradients, logits);
    } else {
      gradient = null;
      loss = null;
    }
    this.keepsLogits = keepsLogits || loss != null;
    split = SplitRouter.of(backend, spec, weights);
    few = new FewRouter(spec, weights, memory);
    leavesRounded =
        !CudaStageFactory.trains(spec)
            && backend.halfProducts().filter(half -> half.type() == DType.BF16).isPresent();
    ROUTE.weight("router.weight", weights.weight(), spec.experts(), spec.dModel());
  }

  @Override
  public void route(Tensor tokens, Routing out, DeviceStream stream) {
    memory.checkOpen();
    CudaStream queue = CudaStream.of(stream);
    int rows = Calls.tokens(ROUTE, tokens, spec);
    Calls.routing(ROUTE, out, rows, spec);
    if (rows == 0) {
      return;
    }
    if (few.suits(rows, tokens) || (split != null && split.fits(rows, tokens))) {
      Tensor kept = keepsLogits ? logits : null;
      boolean leaves =
          leavesRounded
              && HalfProducts.isFew(rows * spec.topK(), spec.experts())
              && queue.roundedRows().of(tokens) == null;
      Tensor rounded = leaves ? queue.roundedRows().room(tokens) : null;
      if (few.suits(rows, tokens)) {
        few.run(queue, rows, tokens, balanceBias, kept, out, rounded);
      } else if (split != null) {
        split.run(queue, rows, tokens, weights, balanceBias, kept, out, rounded);
      }
      if (leaves) {
        queue.roundedRows().left(tokens);
      }
      return;
    }
    products.forward(
        queue,
        Products.Groups.ONE,
        rows,
        tokens,
        weights.weight(),
        weights.bias(),
        Activation.NONE,
        null,
        logits);
    queue
        .launch(TOP_K, 256, Math.ceilDiv(rows, TOKENS_PER_BLOCK), 1, 1)
        .tensor(logits)
        .tensor(balanceBias)
        .tensor(out.expertIds())
        .tensor(out.gates())
        .number(rows)
        .number(spec.experts())
        .number(spec.topK())
        .run();
  }

  /// `[maxTokens, experts]` of the last `route`, if they are kept.
  Tensor logits() {
    return logits;
  }

  /// `[experts]`: the balance bias.
  Tensor balance() {
    return balanceBias;
  }

  @Override
  public Optional<Tensor> balanceBias() {
    return Optional.of(balanceBias);
  }

  @Override
  public Optional<Router.Backward> backward() {
    return Optional.ofNullable(gradient);
  }

  @Override
  public Optional<Router.AuxiliaryLoss> auxiliaryLoss() {
    return Optional.ofNullable(loss);
  }

  @Override
  public void close() {
    memory.close();
  }

  private final class Gradient implements Router.Backward {
    private final CudaTensor dLogits;
    private final LinearWeights gradients;

    Gradient(LinearWeights gradients) {
      this.dLogits = memory.floats(spec.maxTokens(), spec.experts());
      this.gradients = gradients;
    }

    @Override
    public void backward(
        Tensor tokens, Routing routing, Tensor dGates, Tensor dTokens, DeviceStream stream) {
      memory.checkOpen();
      CudaStream queue = CudaStream.of(stream);
      int rows = Calls.tokens(BACKWARD, tokens, spec);
      Calls.routing(BACKWARD, routing, rows, spec);
      BACKWARD.floats("dGates", dGates, (long) rows * spec.topK());
      BACKWARD.matrix("dTokens", dTokens, rows, spec.dModel());
      queue
          .launch(TOP_K_BACK, 256, Math.ceilDiv(rows, TOKENS_PER_BLOCK), 1, 1)
          .tensor(routing.expertIds())
          .tensor(routing.gates())
          .tensor(dGates)
          .tensor(dLogits)
          .number(rows)
          .number(spec.experts())
          .number(spec.topK())
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
}
