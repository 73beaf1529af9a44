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

  /// The terms of the loss that keep the load even and the logits small, if this router trains with
  /// them.
  default Optional<AuxiliaryLoss> auxiliaryLoss() {
    return Optional.empty();
  }

  /// What this router learns while it is used, if it does.
  default Optional<Adaptation> adaptation() {
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

  /// Two terms of the loss, over the logits `z [tokens, experts]` of a call and `p = softmax(z)`,
  /// neither with the bias for balance.
  ///
  /// - balance: `experts · Σ_e f_e·P_e`, with `f_e` the share of all used slots that went to expert
  ///   `e` and `P_e` the mean of `p_e`; even load gives 1. For topK = 1 it is that of the Switch
  ///   Transformer (Fedus et al., arXiv 2101.03961, equation 4); for more, every slot counts alike.
  ///   `f` has no gradient.
  /// - z: the mean over tokens of `(log Σ_e e^z_e)²` (Zoph et al., arXiv 2202.08906, equation 5).
  interface AuxiliaryLoss {
    /// Computes the terms of the last `route` and adds their gradients to those of the router's
    /// parameters. Called beside `Backward.backward`, in any order, at most once for a `route`.
    ///
    /// @param routing what `route` wrote
    /// @param losses F32 `[2]`, overwritten: balance and z, each times its weight
    /// @param dTokens F32 `[tokens, dModel]`, accumulated
    void backward(
        Tensor tokens,
        Routing routing,
        AuxiliaryWeights weights,
        Tensor losses,
        Tensor dTokens,
        DeviceStream stream);
  }
}
