package moe.engine.model;

import moe.spi.device.DeviceStream;
import moe.spi.device.Tensor;
import moe.spi.stage.Router;
import moe.spi.stage.Routing;
import org.jspecify.annotations.Nullable;

/// The whole gradient of a router: through the gates, and of what it adds to the loss itself.
///
/// @param terms null for nothing
record RouterBackward(Router.Backward gates, @Nullable RouterTerms terms) {
  void run(Tensor tokens, Routing routing, Tensor dGates, Tensor dTokens, DeviceStream stream) {
    gates.backward(tokens, routing, dGates, dTokens, stream);
    if (terms != null) {
      terms.backward(tokens, routing, dTokens, stream);
    }
  }
}
