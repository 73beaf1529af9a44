package moe.spi.stage;

import moe.spi.device.Tensor;

/// Which experts each token goes to, and with what weight.
///
/// @param expertIds I32 `[tokens, topK]`, best first; −1 marks an unused slot
/// @param gates F32 `[tokens, topK]`; the used ones of a row sum to 1
public record Routing(Tensor expertIds, Tensor gates) {
  /// The routing of the first `tokens` tokens.
  public Routing first(long tokens) {
    return new Routing(expertIds.slice(0, tokens), gates.slice(0, tokens));
  }
}
