package moe.engine.parity;

import moe.spi.device.Compute;

/// The largest errors that are ok, by the format in which the backend multiplies. Those of fewer
/// bits than float32 are four times what the CUDA backend measures on the fixtures.
///
/// @param forward of logits, hidden states and losses
/// @param backward of gradients, and of what comes after steps of AdamW
/// @param ids the share of chosen experts and tokens that may differ, for near ties
/// @param greedy whether greedy tokens are compared: one near tie changes all that follow
record ParityTolerance(double forward, double backward, double ids, boolean greedy) {
  /// Float32 sums in another order: measured 1e-7 to 1e-6 on models of this family. Gradients and
  /// weights after steps of AdamW pass through more sums, and through a quotient of them.
  private static final ParityTolerance F32 = new ParityTolerance(1e-5, 1e-4, 0, true);

  /// TF32 and binary16 round to 10 fraction bits: measured 7.2e-4 and 1.3e-3.
  private static final ParityTolerance TEN_BITS = new ParityTolerance(3e-3, 5e-3, 0.01, true);

  /// To 7: measured 7.9e-3 where experts are the same, and 2.7 % of the experts otherwise.
  /// Gradients were never compared there, for all tokens have a part in them; they get as much as
  /// logits.
  private static final ParityTolerance BF16 = new ParityTolerance(3e-2, 3e-2, 0.1, false);

  /// That of a format.
  ///
  /// @param compute not `AUTO`
  static ParityTolerance of(Compute compute) {
    return switch (compute) {
      case AUTO -> throw new IllegalArgumentException("AUTO is no format");
      case F32 -> F32;
      case TF32, F16 -> TEN_BITS;
      case BF16 -> BF16;
    };
  }
}
