package moe.engine.model;

import moe.spi.device.DType;
import moe.spi.stage.AuxiliaryWeights;

/// What a model is made for.
///
/// @param maxTokens the largest batch, `batch · seqLength`
/// @param training whether to allocate gradients and what backward needs
/// @param weights storage of matrices in inference, `F32` or `BF16`; in training all is F32
/// @param auxiliary what the routers add to the loss of each backward
public record ModelOptions(
    int maxTokens, boolean training, DType weights, AuxiliaryWeights auxiliary) {
  public ModelOptions {
    if (maxTokens < 1) {
      throw new IllegalArgumentException("maxTokens = %d: must be at least 1".formatted(maxTokens));
    }
    if (training) {
      weights = DType.F32;
    }
  }

  /// Routers add nothing to the loss.
  public ModelOptions(int maxTokens, boolean training, DType weights) {
    this(maxTokens, training, weights, AuxiliaryWeights.NONE);
  }

  /// A model that trains.
  public static ModelOptions training(int maxTokens) {
    return new ModelOptions(maxTokens, true, DType.F32);
  }

  /// A model that only computes forward, in F32.
  public static ModelOptions inference(int maxTokens) {
    return new ModelOptions(maxTokens, false, DType.F32);
  }
}
