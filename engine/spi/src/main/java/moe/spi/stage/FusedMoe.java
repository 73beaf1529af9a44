package moe.spi.stage;

import java.util.Optional;
import moe.spi.device.DeviceStream;
import moe.spi.device.Tensor;

/// Dispatcher, executor and combiner in one.
public non-sealed interface FusedMoe extends Stage {
  /// `out[t] = Σ_k gates[t, k] · expert_{expertIds[t, k]}(tokens[t])`.
  ///
  /// @param tokens F32 `[tokens, dModel]`
  /// @param out F32 `[tokens, dModel]`
  void run(Tensor tokens, Routing routing, Tensor out, DeviceStream stream);

  /// The gradient, if this fusion trains.
  default Optional<Backward> backward() {
    return Optional.empty();
  }

  /// The gradient of a fusion.
  interface Backward {
    /// Adds to the gradients of the experts' parameters.
    ///
    /// @param dGates F32 `[tokens, topK]`, overwritten, 0 for an unused slot
    /// @param dTokens F32 `[tokens, dModel]`, accumulated
    void backward(
        Tensor tokens,
        Routing routing,
        Tensor dOut,
        Tensor dGates,
        Tensor dTokens,
        DeviceStream stream);
  }
}
