package moe.backend.tests;

import moe.spi.device.Activation;
import moe.spi.device.DType;
import moe.spi.stage.LayerSpec;

/// Blocks of odd sizes.
public final class BlockSpecs {
  private BlockSpecs() {}

  /// A training block with biases.
  public static LayerSpec training(int tokens, int dModel, int dHidden, int experts, int topK) {
    return new LayerSpec(
        Math.max(1, tokens),
        dModel,
        dHidden,
        experts,
        topK,
        Activation.GELU,
        false,
        true,
        DType.F32,
        true);
  }

  static LayerSpec with(LayerSpec s, Activation activation, boolean gated, boolean bias) {
    return new LayerSpec(
        s.maxTokens(),
        s.dModel(),
        s.dHidden(),
        s.experts(),
        s.topK(),
        activation,
        gated,
        bias,
        s.weights(),
        s.training());
  }

  static LayerSpec inference(LayerSpec s, DType weights) {
    return new LayerSpec(
        s.maxTokens(),
        s.dModel(),
        s.dHidden(),
        s.experts(),
        s.topK(),
        s.activation(),
        s.gated(),
        s.bias(),
        weights,
        false);
  }
}
