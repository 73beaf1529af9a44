package moe.spi.stage;

import java.util.Optional;
import moe.spi.device.DeviceStream;
import moe.spi.device.Tensor;

/// Brings the experts' rows back into the order of the tokens.
public non-sealed interface Combiner extends Stage {
  /// `out[t] = Σ_k gates[t, k] · expertRows[positions[t·topK + k]]`, summed in the order of k.
  ///
  /// @param expertRows F32 `[tokens·topK, dModel]`, sorted by expert
  /// @param out F32 `[tokens, dModel]`
  void combine(
      Tensor expertRows, Dispatched dispatched, Routing routing, Tensor out, DeviceStream stream);

  /// The gradient, if this combiner trains.
  default Optional<Backward> backward() {
    return Optional.empty();
  }

  /// The gradient of a combiner.
  interface Backward {
    /// `dExpertRows[position] = gate · dOut[t]`, `dGates[t, k] = ⟨dOut[t], expertRows[position]⟩`,
    /// 0 for an unused slot.
    ///
    /// @param expertRows what `combine` read
    /// @param dExpertRows F32 `[tokens·topK, dModel]`, overwritten; may be `expertRows`
    /// @param dGates F32 `[tokens, topK]`, overwritten
    void backward(
        Tensor dOut,
        Tensor expertRows,
        Dispatched dispatched,
        Routing routing,
        Tensor dExpertRows,
        Tensor dGates,
        DeviceStream stream);
  }
}
