package moe.engine.model;

import moe.spi.device.DeviceStream;
import moe.spi.device.Tensor;
import moe.spi.stage.AuxiliaryWeights;
import moe.spi.stage.Router;
import moe.spi.stage.Routing;

/// What one router adds to the loss.
///
/// @param losses F32 `[1, 2]`, where the terms go
record RouterTerms(Router.AuxiliaryLoss loss, AuxiliaryWeights weights, Tensor losses) {
  void backward(Tensor tokens, Routing routing, Tensor dTokens, DeviceStream stream) {
    loss.backward(tokens, routing, weights, losses, dTokens, stream);
  }
}
