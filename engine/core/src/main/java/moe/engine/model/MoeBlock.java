package moe.engine.model;

import moe.spi.device.DeviceStream;
import moe.spi.stage.Routing;

/// One layer's MoE block on batches of one size: `out = Σ_k gate_k · expert_k(in)` for each token.
///
/// Its tensors are bound once; forward and backward allocate nothing and never wait.
public sealed interface MoeBlock extends FeedForwardPass permits StagedBlock, FusedBlock {
  @Override
  void forward(DeviceStream stream);

  @Override
  void backward(DeviceStream stream);

  /// What the router chose in the last forward.
  Routing routing();
}
