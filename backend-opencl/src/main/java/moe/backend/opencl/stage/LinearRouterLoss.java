package moe.backend.opencl.stage;

import moe.backend.opencl.OpenClStream;
import moe.backend.opencl.Operation;
import moe.backend.opencl.kernel.Groups;
import moe.backend.opencl.kernel.Region;
import moe.backend.opencl.kernel.RouterTerms;
import moe.backend.opencl.kernel.SlotRows;
import moe.backend.opencl.kernel.WorkQueue;
import moe.spi.device.DeviceStream;
import moe.spi.device.Tensor;
import moe.spi.stage.AuxiliaryWeights;
import moe.spi.stage.LayerSpec;
import moe.spi.stage.Router;
import moe.spi.stage.Routing;

/// The auxiliary loss of a router whose logits are a linear layer: here every logit has a gradient,
/// not only those of the chosen experts.
final class LinearRouterLoss implements Router.AuxiliaryLoss {
  private static final Operation BACKWARD = new Operation("auxiliary loss");

  private final LayerSpec spec;
  private final StageParts parts;
  private final ExpertLinear linear;
  private final Region logits;
  private final RouterTerms terms;
  private final Region dLogits;
  private final SlotRows gradients;
  private final SlotRows inputs;
  private final Groups group = new Groups();

  /// @param logits `[maxTokens, experts]` of the last forward
  LinearRouterLoss(StageParts parts, LayerSpec spec, ExpertLinear linear, Region logits) {
    this.spec = spec;
    this.parts = parts;
    this.linear = linear;
    this.logits = logits;
    terms = new RouterTerms(parts.kernels, parts.memory, spec.maxTokens(), spec.experts());
    dLogits = parts.memory.floats((long) spec.maxTokens() * spec.experts());
    gradients = SlotRows.of(parts.kernels, parts.memory, spec.maxTokens(), 1, spec.experts());
    inputs = SlotRows.unpacked(parts.kernels);
  }

  @Override
  public void backward(
      Tensor tokens,
      Routing routing,
      AuxiliaryWeights weights,
      Tensor losses,
      Tensor dTokens,
      DeviceStream stream) {
    WorkQueue queue = OpenClStream.queue(stream);
    parts.checkOpen();
    int rows = Calls.tokens(BACKWARD, tokens, spec);
    Region ids = Calls.expertIds(BACKWARD, routing, rows, spec);
    Region sums = BACKWARD.floats("losses", losses, 2);
    Region x = BACKWARD.matrix("tokens", tokens, rows, spec.dModel());
    Region dX = BACKWARD.matrix("dTokens", dTokens, rows, spec.dModel());
    float balance = weights.balance();
    terms.losses(logits, rows, ids, rows * spec.topK(), balance, weights.z(), sums, queue);
    terms.gradients(logits, rows, balance, weights.z(), dLogits, queue);
    group.one(rows);
    gradients.plain(dLogits, spec.experts()).pack(group, queue);
    linear.backwardInput().rows(gradients, group, dX, true, queue);
    linear.backwardWeight().run(gradients, inputs.plain(x, spec.dModel()), group, queue);
  }
}
