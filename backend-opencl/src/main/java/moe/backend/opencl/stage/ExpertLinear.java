package moe.backend.opencl.stage;

import moe.backend.opencl.Operation;
import moe.backend.opencl.kernel.GroupedBackwardInput;
import moe.backend.opencl.kernel.GroupedBackwardWeight;
import moe.backend.opencl.kernel.GroupedForward;
import moe.backend.opencl.kernel.Kernels;
import moe.backend.opencl.kernel.Region;
import moe.spi.device.LinearWeights;
import moe.spi.stage.StageContext;
import org.jspecify.annotations.Nullable;

/// One linear layer of all experts: its stacked parameters, and products with these already set.
final class ExpertLinear {
  private final Operation operation;
  private final LinearWeights weights;
  private final @Nullable LinearWeights gradients;
  private final GroupedForward forward;
  private final @Nullable GroupedBackwardInput backwardInput;
  private final @Nullable GroupedBackwardWeight backwardWeight;
  private final int experts;
  private final int out;
  private final int in;

  /// @param prefix of the parameters: `experts.up`
  /// @param experts stacked layers, 1 for the router's
  /// @param out features out of the layer
  /// @param in features into it
  ExpertLinear(Kernels kernels, StageContext context, String prefix, int experts, int out, int in) {
    operation = new Operation(prefix);
    weights = context.parameters().linear(prefix);
    boolean trains = context.spec().training();
    gradients = trains ? context.parameters().linearGradients(prefix) : null;
    forward = GroupedForward.of(kernels);
    backwardInput = trains ? GroupedBackwardInput.of(kernels) : null;
    backwardWeight = trains ? GroupedBackwardWeight.of(kernels) : null;
    this.experts = experts;
    this.out = out;
    this.in = in;
  }

  GroupedForward forward() {
    return forward.weights(weight("weight", weights), bias("bias", weights), out, in);
  }

  GroupedBackwardInput backwardInput() {
    if (backwardInput == null) {
      throw inference();
    }
    return backwardInput.weights(weight("weight", weights), out, in);
  }

  GroupedBackwardWeight backwardWeight() {
    if (backwardWeight == null || gradients == null) {
      throw inference();
    }
    return backwardWeight.gradients(
        weight("gradient of weight", gradients), bias("gradient of bias", gradients), out, in);
  }

  private Region weight(String tensor, LinearWeights of) {
    return operation.matrix(tensor, of.weight(), (long) experts * out, in);
  }

  private @Nullable Region bias(String tensor, LinearWeights of) {
    return operation.optional(tensor, of.bias(), (long) experts * out);
  }

  private static IllegalStateException inference() {
    return new IllegalStateException("the block was created for inference");
  }
}
