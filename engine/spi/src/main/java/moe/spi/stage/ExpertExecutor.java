package moe.spi.stage;

import java.util.Optional;
import moe.spi.device.DeviceStream;
import moe.spi.device.Tensor;

/// Applies the experts to the sorted tokens.
public non-sealed interface ExpertExecutor extends Stage {
  /// Whether `execute` reads `Dispatched.rows`; if not, it gathers from `tokens` itself.
  boolean needsRows();

  /// `expertRows[r] = expert_e(token of row r)` for every row `r` of every expert `e`; rows beyond
  /// the last are not written.
  ///
  /// @param tokens F32 `[tokens, dModel]`
  /// @param expertRows F32 `[tokens·topK, dModel]`, sorted by expert
  void execute(Tensor tokens, Dispatched in, Tensor expertRows, DeviceStream stream);

  /// The gradient, if this executor trains.
  default Optional<Backward> backward() {
    return Optional.empty();
  }

  /// The gradient of an executor.
  interface Backward {
    /// Adds to the gradients of the experts' parameters.
    ///
    /// @param dExpertRows F32 `[tokens·topK, dModel]`, sorted by expert
    /// @param dRows F32 `[tokens·topK, dModel]`, sorted by expert, overwritten; may not be
    ///   `dExpertRows`
    void backward(
        Tensor tokens, Dispatched in, Tensor dExpertRows, Tensor dRows, DeviceStream stream);
  }
}
