package moe.backend.tests;

import static java.util.Objects.requireNonNull;
import static moe.backend.tests.Close.SUMS;
import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import java.util.Map;
import moe.spi.device.Tensor;
import moe.spi.stage.AuxiliaryWeights;
import moe.spi.stage.LayerSpec;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/// Balance loss and z-loss against their formulas in double precision.
public abstract class AuxiliaryLossContract implements Place {
  @ParameterizedTest
  @CsvSource({
    "MAIN, 1, 5, 1, 1, 0.5, 0.25", "MAIN, 13, 10, 5, 3, 0.5, 0.25",
    "MAIN, 33, 17, 64, 8, 0.5, 0", "MAIN, 21, 9, 7, 1, 0, 0.25",
    "OTHER, 13, 10, 5, 3, 0.5, 0.25", "OTHER, 9, 17, 3, 2, 0.5, 0"
  })
  void termsAndGradientsEqualTheFormulas(
      Way way, int rows, int dModel, int experts, int topK, double balance, double z) {
    LayerSpec spec = BlockSpecs.training(rows + 2, dModel, 4, experts, topK);
    try (Workplace at = open(way);
        Block block = new Block(at, spec, rows)) {
      block.route();
      leaveASlotUnused(block);
      Tensor dTokens = at.random(rows, dModel);
      Tensor losses = at.garbage(2);
      double[] tokensBefore = at.numbers(dTokens);
      Map<String, double[]> before = block.gradients();
      backward(block, (float) balance, (float) z, losses, dTokens);

      Map<String, double[]> weights = block.weights();
      double[] tokens = at.numbers(block.tokens);
      Formulas formulas = new Formulas(spec, at.ids(block.routing.expertIds()), balance, z);
      at.assertClose("losses", losses, formulas.terms(weights, tokens), SUMS);
      at.assertClose(
          "dTokens",
          dTokens,
          Numeric.plus(
              tokensBefore,
              Numeric.gradient(v -> formulas.terms(weights, v), tokens, new double[] {1, 1})),
          SUMS);
      block.assertAdded(before, moved -> formulas.terms(moved, tokens), new double[] {1, 1}, SUMS);
    }
  }

  /// As a router with a capacity makes them.
  private static void leaveASlotUnused(Block block) {
    Tensor ids = block.routing.expertIds();
    if (ids.shape().dim(0) > 2) {
      block.at.set(ids, 2L * block.spec.topK(), -1);
    }
  }

  @ParameterizedTest
  @EnumSource
  void isOneAtEvenLoadWhateverTopK(Way way) {
    for (int topK = 1; topK <= 4; topK++) {
      LayerSpec spec = BlockSpecs.training(8, 3, 4, 4, topK);
      try (Workplace at = open(way);
          Block block = new Block(at, spec, 8)) {
        // All logits equal; ids in turn.
        block.parameters.all().forEach(p -> at.stream.zero(p.value()));
        block.route();
        Tensor ids = block.routing.expertIds();
        for (int slot = 0; slot < 8 * topK; slot++) {
          at.set(ids, slot, slot % 4);
        }
        Tensor losses = at.garbage(2);
        backward(block, 1, 1, losses, at.zeros(8, 3));
        // log(4)² for the z-loss; a float32 sum of four exponentials, measured: 1e-7.
        at.assertClose("losses", losses, new double[] {1, Math.log(4) * Math.log(4)}, SUMS);
      }
    }
  }

  @ParameterizedTest
  @EnumSource
  void showsNaNAndSurvivesInfinity(Way way) {
    LayerSpec spec = BlockSpecs.training(3, 2, 4, 3, 1);
    try (Workplace at = open(way);
        Block block = new Block(at, spec, 3)) {
      assertThat(losses(at, block, Float.NEGATIVE_INFINITY)).doesNotContain(Double.NaN);
      assertThat(losses(at, block, Float.NaN)).containsOnly(Double.NaN);
    }
  }

  /// With the first logit's bias at `value`.
  private static double[] losses(Workplace at, Block block, float value) {
    Tensor bias = block.parameters.linear("router").bias();
    at.set(requireNonNull(bias), 0, value);
    block.route();
    Tensor losses = at.garbage(2);
    backward(block, 1, 1, losses, at.zeros(3, 2));
    return at.numbers(losses);
  }

  private static void backward(Block block, float balance, float z, Tensor losses, Tensor dTokens) {
    block
        .router
        .auxiliaryLoss()
        .orElseThrow()
        .backward(
            block.tokens,
            block.routing,
            new AuxiliaryWeights(balance, z),
            losses,
            dTokens,
            block.at.stream);
  }

  /// The terms as the papers write them.
  @SuppressWarnings("ArrayRecordComponent") // never compared
  private record Formulas(LayerSpec spec, int[] ids, double balance, double z) {
    double[] terms(Map<String, double[]> weights, double[] tokens) {
      double[] logits = new Reference(spec).logits(weights, tokens);
      int experts = spec.experts();
      int rows = logits.length / experts;
      double[] share = new double[experts];
      long used = Arrays.stream(ids).filter(id -> id >= 0).count();
      Arrays.stream(ids).filter(id -> id >= 0).forEach(id -> share[id] += 1.0 / used);
      double[] mean = new double[experts];
      double squares = 0;
      for (int t = 0; t < rows; t++) {
        double sum = 0;
        for (int e = 0; e < experts; e++) {
          sum += Math.exp(logits[t * experts + e]);
        }
        for (int e = 0; e < experts; e++) {
          mean[e] += Math.exp(logits[t * experts + e]) / sum / rows;
        }
        squares += Math.log(sum) * Math.log(sum) / rows;
      }
      double even = 0;
      for (int e = 0; e < experts; e++) {
        even += experts * share[e] * mean[e];
      }
      return new double[] {balance * even, z * squares};
    }
  }
}
