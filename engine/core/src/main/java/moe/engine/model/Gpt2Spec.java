package moe.engine.model;

import moe.spi.device.Activation;
import org.jspecify.annotations.Nullable;

/// The extents of a GPT-2, dense or with MoE blocks.
///
/// @param vocab number of token ids
/// @param positions the longest sequence
/// @param dModel width of the residual stream, a multiple of `heads`
/// @param layers transformer layers
/// @param heads attention heads
/// @param dHidden width of the hidden layer of each feed-forward network or expert
/// @param activation between the two matrices of a feed-forward network
/// @param epsilon added to the variance in layer norms
/// @param tiedHead whether the output head is the token embedding
/// @param moe the experts of each layer; null for a dense model
public record Gpt2Spec(
    int vocab,
    int positions,
    int dModel,
    int layers,
    int heads,
    int dHidden,
    Activation activation,
    float epsilon,
    boolean tiedHead,
    @Nullable MoeSize moe) {
  public Gpt2Spec {
    positive("vocab", vocab);
    positive("positions", positions);
    positive("dModel", dModel);
    positive("layers", layers);
    positive("heads", heads);
    positive("dHidden", dHidden);
    if (dModel % heads != 0) {
      throw new IllegalArgumentException(
          "dModel = %d: must be a multiple of heads = %d".formatted(dModel, heads));
    }
    if (!(epsilon > 0) || epsilon > 1) {
      throw new IllegalArgumentException(
          "epsilon = %s: must be above 0 and at most 1".formatted(epsilon));
    }
  }

  /// Elements of one attention head.
  public int headSize() {
    return dModel / heads;
  }

  /// The same model with other feed-forward networks.
  public Gpt2Spec withMoe(@Nullable MoeSize size) {
    return new Gpt2Spec(
        vocab, positions, dModel, layers, heads, dHidden, activation, epsilon, tiedHead, size);
  }

  private static void positive(String name, int value) {
    if (value < 1) {
      throw new IllegalArgumentException("%s = %d: must be at least 1".formatted(name, value));
    }
  }
}
