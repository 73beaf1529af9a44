package moe.spi.stage;

import moe.spi.device.Activation;
import moe.spi.device.DType;

/// What the stages of one MoE block must know before they are created.
///
/// @param maxTokens the largest number of tokens of a call, at least 1
/// @param dModel width of a token
/// @param dHidden width of an expert's hidden layer
/// @param experts number of experts
/// @param topK experts per token, 1 to `experts`
/// @param activation the function between the two matrix products
/// @param gated whether the hidden layer is `activation(W_gate·x) ∘ (W_up·x)`
/// @param bias whether router and experts have biases
/// @param weights storage of the experts' weights, `F32` or `BF16`
/// @param training whether backward will be called
public record LayerSpec(
    int maxTokens,
    int dModel,
    int dHidden,
    int experts,
    int topK,
    Activation activation,
    boolean gated,
    boolean bias,
    DType weights,
    boolean training) {
  public LayerSpec {
    positive("maxTokens", maxTokens);
    positive("dModel", dModel);
    positive("dHidden", dHidden);
    positive("experts", experts);
    if (topK < 1 || topK > experts) {
      throw new IllegalArgumentException(
          "topK = %d: must be between 1 and experts = %d".formatted(topK, experts));
    }
    Math.multiplyExact(maxTokens, topK);
  }

  /// The largest number of assignments of a call, `maxTokens · topK`.
  public int maxSlots() {
    return maxTokens * topK;
  }

  private static void positive(String name, int value) {
    if (value < 1) {
      throw new IllegalArgumentException("%s = %d: must be at least 1".formatted(name, value));
    }
  }
}
