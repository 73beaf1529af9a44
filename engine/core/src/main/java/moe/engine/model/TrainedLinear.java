package moe.engine.model;

import moe.spi.device.LinearWeights;
import org.jspecify.annotations.Nullable;

/// The weights of a linear layer with their gradients.
///
/// @param gradients null in inference
record TrainedLinear(LinearWeights weights, @Nullable LinearWeights gradients) {
  LinearWeights trained() {
    if (gradients == null) {
      throw new IllegalStateException("no gradients: the model is not training");
    }
    return gradients;
  }
}
