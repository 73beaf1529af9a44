package moe.engine.model;

import moe.spi.device.Tensor;
import moe.spi.stage.ParameterSpec;
import org.jspecify.annotations.Nullable;

/// A trained tensor of a model.
///
/// @param spec with the name of a checkpoint, for example `transformer.h.0.ln_1.weight`
/// @param value the weights
/// @param gradient F32, same shape, accumulated by backward; null in inference
public record ModelParameter(ParameterSpec spec, Tensor value, @Nullable Tensor gradient) {
  /// The gradient of a model in training.
  ///
  /// @throws IllegalStateException in inference, where there is none
  public Tensor trained() {
    if (gradient == null) {
      throw new IllegalStateException(spec.name() + " has no gradient: the model is not training");
    }
    return gradient;
  }
}
