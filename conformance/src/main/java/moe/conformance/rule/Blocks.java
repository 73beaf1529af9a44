package moe.conformance.rule;

import java.util.List;
import moe.conformance.trial.Draw;
import moe.conformance.trial.Routed;
import moe.conformance.trial.Routed.Pattern;
import moe.spi.device.Activation;
import moe.spi.device.DType;
import moe.spi.stage.LayerSpec;

/// The MoE blocks that rules on stages try.
final class Blocks {
  /// The names that pipeline files know on every backend.
  static final String ROUTER = "topk";

  static final String DISPATCHER = "sorted";
  static final String EXPERTS = "fused-ffn";
  static final String COMBINER = "weighted-sum";

  /// A size of block and batch.
  record Size(int tokens, int dModel, int dHidden, int experts, int topK, Pattern pattern) {
    /// Made for some more tokens than come.
    LayerSpec spec(
        Activation activation, boolean gated, boolean bias, DType weights, boolean training) {
      return new LayerSpec(
          tokens + 7, dModel, dHidden, experts, topK, activation, gated, bias, weights, training);
    }

    LayerSpec inference() {
      return spec(Activation.GELU, false, true, DType.F32, false);
    }

    LayerSpec training() {
      return spec(Activation.GELU, false, true, DType.F32, true);
    }

    Routed routed(LayerSpec spec) {
      return Routed.of(spec, tokens, pattern, new Draw(41));
    }

    double[] x() {
      return new Draw(42).normal(tokens * dModel);
    }

    @Override
    public String toString() {
      return "tokens %d, dModel %d, dHidden %d, experts %d, topK %d, %s"
          .formatted(tokens, dModel, dHidden, experts, topK, pattern);
    }
  }

  /// From nothing to more rows than any tile has, from one expert to 64.
  static final List<Size> SIZES =
      List.of(
          new Size(0, 8, 16, 5, 2, Pattern.RANDOM),
          new Size(1, 33, 31, 5, 1, Pattern.RANDOM),
          new Size(1, 8, 65, 5, 5, Pattern.RANDOM),
          new Size(31, 32, 40, 5, 2, Pattern.ONE_IDLE),
          new Size(32, 16, 24, 1, 1, Pattern.RANDOM),
          new Size(33, 5, 33, 5, 3, Pattern.UNUSED_SLOTS),
          new Size(33, 31, 7, 64, 8, Pattern.RANDOM),
          new Size(33, 8, 8, 64, 64, Pattern.RANDOM),
          new Size(65, 24, 16, 5, 4, Pattern.ALL_TO_ONE),
          new Size(1000, 24, 32, 5, 2, Pattern.RANDOM));

  /// Those that differ in what gradients have to get right.
  static final List<Size> FEW =
      List.of(
          new Size(0, 8, 16, 5, 2, Pattern.RANDOM),
          new Size(1, 33, 31, 5, 5, Pattern.RANDOM),
          new Size(33, 5, 33, 5, 3, Pattern.UNUSED_SLOTS),
          new Size(31, 32, 40, 5, 1, Pattern.ALL_TO_ONE),
          new Size(33, 16, 24, 64, 2, Pattern.ONE_IDLE));

  private Blocks() {}
}
