package moe.backend.cpu.stage;

import moe.backend.cpu.CpuBackend;
import moe.backend.cpu.CpuStream;
import moe.backend.cpu.Operation;
import moe.backend.cpu.kernel.AuxiliaryTerms;
import moe.backend.cpu.kernel.Floats;
import moe.backend.cpu.kernel.Ints;
import moe.backend.cpu.kernel.TopKBackward;
import moe.spi.device.DeviceStream;
import moe.spi.device.LinearWeights;
import moe.spi.device.Tensor;
import moe.spi.stage.AuxiliaryWeights;
import moe.spi.stage.LayerSpec;
import moe.spi.stage.Router;
import moe.spi.stage.Routing;
import moe.spi.stage.StageContext;

/// The auxiliary loss of a router whose logits are a linear layer: here every logit has a gradient,
/// not only those of the chosen experts.
final class LinearRouterLoss implements Router.AuxiliaryLoss {
  private static final Operation BACKWARD = new Operation("auxiliary loss");

  private final LayerSpec spec;
  private final StageMemory memory;
  private final LinearWeights weights;
  private final LinearWeights gradients;
  private final AuxiliaryTerms terms;
  private final TopKBackward linear;
  private final Floats logits;
  private final Floats dLogits; // [maxTokens, experts]
  private final Ints all; // [maxTokens, experts]: the ids of all experts for each token

  /// @param logits `[maxTokens, experts]` of the last forward
  LinearRouterLoss(CpuBackend backend, StageContext context, StageMemory memory, Floats logits) {
    this.spec = context.spec();
    this.memory = memory;
    this.weights = context.parameters().linear("router");
    this.gradients = context.parameters().linearGradients("router");
    this.logits = logits;
    this.dLogits = memory.floats(spec.maxTokens(), spec.experts());
    this.all = memory.ints(spec.maxTokens(), spec.experts());
    for (int i = 0; i < spec.maxTokens() * spec.experts(); i++) {
      all.array()[all.at() + i] = i % spec.experts();
    }
    this.linear = new TopKBackward(backend.threads(), backend.loops());
    this.terms =
        new AuxiliaryTerms(
            backend.threads(),
            memory.floats(spec.experts()),
            memory.ints(spec.experts()),
            memory.floats(spec.maxTokens(), 2));
  }

  @Override
  public void backward(
      Tensor tokens,
      Routing routing,
      AuxiliaryWeights factors,
      Tensor losses,
      Tensor dTokens,
      DeviceStream stream) {
    CpuStream.of(stream);
    memory.checkOpen();
    int rows = Calls.tokens(BACKWARD, tokens, spec);
    int experts = spec.experts();
    int width = spec.dModel();
    Ints ids = Calls.expertIds(BACKWARD, routing, rows, spec);
    Floats out = BACKWARD.floats("losses", losses, 2);
    Floats x = BACKWARD.matrix("tokens", tokens, rows, width);
    Floats dX = BACKWARD.matrix("dTokens", dTokens, rows, width);
    Floats weight = BACKWARD.matrix("router.weight", weights.weight(), experts, width);
    Floats dWeight =
        BACKWARD.matrix("gradient of router.weight", gradients.weight(), experts, width);
    terms
        .load(ids, rows * spec.topK(), experts)
        .run(logits, rows, factors.balance(), factors.z(), out, dLogits);
    linear.tokens(all, dLogits, weight, rows, experts, width, dX);
    linear.weight(all, dLogits, x, rows, experts, width, dWeight);
    if (gradients.bias() != null) {
      Floats dBias = BACKWARD.floats("gradient of router.bias", gradients.bias(), experts);
      linear.bias(all, dLogits, rows, experts, dBias);
    }
  }
}
