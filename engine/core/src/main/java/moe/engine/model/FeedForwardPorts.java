package moe.engine.model;

import moe.engine.metrics.PhaseClock;
import moe.spi.device.Tensor;
import org.jspecify.annotations.Nullable;

/// Where a feed-forward network reads and writes, all F32 `[tokens, dModel]`, and tells its time.
///
/// @param in the tokens
/// @param out the result, overwritten
/// @param gradients null in inference
/// @param clock takes a lap at the end of each stage
public record FeedForwardPorts(
    Tensor in, Tensor out, @Nullable Gradients gradients, PhaseClock clock) {
  /// The gradients of both ends.
  ///
  /// @param dOut gradient of `out`, left as it is
  /// @param dIn gradient of `in`, overwritten
  public record Gradients(Tensor dOut, Tensor dIn) {}

  /// The number of tokens.
  public long tokens() {
    return in.shape().dim(0);
  }
}
