package moe.spi.stage;

import java.util.Optional;
import moe.spi.device.DeviceStream;
import moe.spi.device.Tensor;

/// Chooses the experts of each token.
public non-sealed interface Router extends Stage {
  /// Fills `out`. Among equal scores the smaller expert id wins. A row with a NaN score never
  /// yields an id out of range.
  ///
  /// @param tokens F32 `[tokens, dModel]`
  void route(Tensor tokens, Routing out, DeviceStream stream);

  /// F32 `[experts]`, added to the scores where experts are chosen and nowhere else, so never to
  /// gates; zeros at first. The engine moves it after each step of training to keep the load even
  /// (Wang et al., arXiv 2408.15664), saves and loads it. Empty if this router has none.
  default Optional<Tensor> balanceBias() {
    return Optional.empty();
  }

  /// The gradient, if this router trains.
  default Optional<Backward> backward() {
    return Optional.empty();
  }

  /// The gradient of a router.
  interface Backward {
    /// Adds to the gradients of the router's parameters.
    ///
    /// @param routing what `route` wrote
    /// @param dGates F32 `[tokens, topK]`
    /// @param dTokens F32 `[tokens, dModel]`, accumulated
    void backward(
        Tensor tokens, Routing routing, Tensor dGates, Tensor dTokens, DeviceStream stream);
  }
}
