package moe.backend.cpu.stage;

import moe.backend.cpu.CpuBackend;
import moe.backend.cpu.Operation;
import moe.backend.cpu.kernel.Floats;
import moe.backend.cpu.kernel.GroupedBackwardInput;
import moe.backend.cpu.kernel.GroupedBackwardWeight;
import moe.backend.cpu.kernel.GroupedForward;
import moe.spi.device.LinearWeights;
import moe.spi.stage.StageContext;
import org.jspecify.annotations.Nullable;

/// One linear layer of all experts: its stacked parameters, and calls with these already set.
final class ExpertLinear {
  private final Operation operation;
  private final LinearWeights weights;
  private final @Nullable LinearWeights gradients;
  private final GroupedForward forward;
  private final GroupedBackwardInput backwardInput;
  private final GroupedBackwardWeight backwardWeight;
  private final int experts;
  private final int out;
  private final int in;

  /// @param prefix of the parameters: `experts.up`
  /// @param out features out of the layer
  /// @param in features into it
  ExpertLinear(CpuBackend backend, StageContext context, String prefix, int out, int in) {
    operation = new Operation(prefix);
    weights = context.parameters().linear(prefix);
    boolean trains = CpuStageFactory.trains(context.spec());
    gradients = trains ? context.parameters().linearGradients(prefix) : null;
    forward = new GroupedForward(backend.threads(), backend.loops());
    backwardInput = new GroupedBackwardInput(backend.threads(), backend.loops());
    backwardWeight = new GroupedBackwardWeight(backend.threads(), backend.loops());
    experts = context.spec().experts();
    this.out = out;
    this.in = in;
  }

  GroupedForward forward() {
    return forward
        .weights(
            operation.weight("weight", weights.weight(), (long) experts * out, in),
            experts,
            out,
            in)
        .bias(bias("bias", weights));
  }

  GroupedBackwardInput backwardInput() {
    Floats weight = operation.matrix("weight", weights.weight(), (long) experts * out, in);
    return backwardInput.weights(weight, experts, out, in);
  }

  GroupedBackwardWeight backwardWeight() {
    if (gradients == null) {
      throw new IllegalStateException("the block was created for inference");
    }
    Floats gradient =
        operation.matrix("gradient of weight", gradients.weight(), (long) experts * out, in);
    return backwardWeight
        .gradients(gradient, experts, out, in)
        .bias(bias("gradient of bias", gradients));
  }

  private @Nullable Floats bias(String tensor, LinearWeights of) {
    return of.bias() == null ? null : operation.floats(tensor, of.bias(), (long) experts * out);
  }
}
