package moe.spi.stage;

import java.util.Optional;
import moe.spi.device.DeviceStream;
import moe.spi.device.Tensor;

/// Sorts the tokens by expert.
public non-sealed interface Dispatcher extends Stage {
  /// Whether `dispatch` also copies the tokens, so that the engine provides `Dispatched.rows`.
  boolean copiesRows();

  /// Fills `out`.
  ///
  /// @param tokens F32 `[tokens, dModel]`
  void dispatch(Tensor tokens, Routing routing, Dispatched out, DeviceStream stream);

  /// The gradient, if this dispatcher trains.
  default Optional<Backward> backward() {
    return Optional.empty();
  }

  /// The gradient of a dispatcher.
  interface Backward {
    /// `dTokens[t] += Σ_k dRows[positions[t·topK + k]]`.
    ///
    /// @param dRows F32 `[tokens·topK, dModel]`, sorted by expert
    /// @param dTokens F32 `[tokens, dModel]`, accumulated
    void backward(Tensor dRows, Dispatched dispatched, Tensor dTokens, DeviceStream stream);
  }
}
