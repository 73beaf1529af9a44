package moe.engine.model;

import moe.spi.device.NormWeights;
import org.jspecify.annotations.Nullable;

/// The weights of a layer norm with their gradients.
///
/// @param gradients null in inference
record TrainedNorm(NormWeights weights, @Nullable NormWeights gradients) {
  NormWeights trained() {
    if (gradients == null) {
      throw new IllegalStateException("no gradients: the model is not training");
    }
    return gradients;
  }
}
