package moe.backend.cpu.stage;

import static java.util.Objects.requireNonNull;
import static moe.backend.cpu.Close.SUMS;
import static moe.backend.cpu.Close.assertClose;
import static moe.backend.cpu.Workplace.ids;
import static moe.backend.cpu.Workplace.numbers;
import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import moe.backend.cpu.CpuTensor;
import moe.backend.cpu.Loops;
import moe.backend.cpu.Numeric;
import moe.backend.cpu.Workplace;
import moe.spi.stage.AuxiliaryWeights;
import moe.spi.stage.LayerSpec;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/// Balance loss and z-loss against their formulas in double precision.
class AuxiliaryLossTest {
  @ParameterizedTest
  @CsvSource({
    "VECTOR, 1, 5, 1, 1, 0.5, 0.25", "VECTOR, 13, 10, 5, 3, 0.5, 0.25",
    "VECTOR, 33, 17, 64, 8, 0.5, 0", "VECTOR, 21, 9, 7, 1, 0, 0.25",
    "SCALAR, 13, 10, 5, 3, 0.5, 0.25", "SCALAR, 9, 17, 3, 2, 0.5, 0"
  })
  void termsAndGradientsEqualTheFormulas(
      Loops loops, int rows, int dModel, int experts, int topK, double balance, double z) {
    LayerSpec spec = BlockSpecs.training(rows + 2, dModel, 4, experts, topK);
    try (Workplace at = new Workplace(loops);
        Block block = new Block(at, spec, rows)) {
      block.route();
      leaveASlotUnused(block);
      CpuTensor dTokens = at.random(rows, dModel);
      CpuTensor losses = at.garbage(2);
      double[] tokensBefore = numbers(dTokens);
      Map<String, double[]> before = new HashMap<>();
      block
          .parameters
          .all()
          .forEach(p -> before.put(p.name(), numbers(requireNonNull(p.gradient()))));

      block
          .router
          .auxiliaryLoss()
          .orElseThrow()
          .backward(
              block.tokens,
              block.routing,
              new AuxiliaryWeights((float) balance, (float) z),
              losses,
              dTokens,
              at.stream);

      Map<String, double[]> weights = block.weights();
      double[] tokens = numbers(block.tokens);
      Formulas formulas = new Formulas(spec, ids(block.routing.expertIds()), balance, z);
      assertClose("losses", losses, formulas.terms(weights, tokens), SUMS);
      assertClose(
          "dTokens",
          dTokens,
          Numeric.plus(
              tokensBefore,
              Numeric.gradient(v -> formulas.terms(weights, v), tokens, new double[] {1, 1})),
          SUMS);
      block
          .parameters
          .all()
          .forEach(p -> {
            double[] expected =
                Numeric.gradient(
                    v -> {
                      Map<String, double[]> moved = new HashMap<>(weights);
                      moved.put(p.name(), v);
                      return formulas.terms(moved, tokens);
                    },
                    requireNonNull(weights.get(p.name())),
                    new double[] {1, 1});
            assertClose(
                p.name(),
                requireNonNull(p.gradient()),
                Numeric.plus(requireNonNull(before.get(p.name())), expected),
                SUMS);
          });
    }
  }

  /// As a router with a capacity makes them.
  private static void leaveASlotUnused(Block block) {
    CpuTensor ids = (CpuTensor) block.routing.expertIds();
    if (ids.shape().dim(0) > 2) {
      ids.ints().array()[ids.ints().at() + 2 * block.spec.topK()] = -1;
    }
  }

  @ParameterizedTest
  @EnumSource
  void isOneAtEvenLoadWhateverTopK(Loops loops) {
    for (int topK = 1; topK <= 4; topK++) {
      LayerSpec spec = BlockSpecs.training(8, 3, 4, 4, topK);
      try (Workplace at = new Workplace(loops);
          Block block = new Block(at, spec, 8)) {
        // All logits equal; ids in turn.
        block.parameters.all().forEach(p -> at.stream.zero(p.value()));
        block.route();
        CpuTensor ids = (CpuTensor) block.routing.expertIds();
        for (int slot = 0; slot < 8 * topK; slot++) {
          ids.ints().array()[ids.ints().at() + slot] = slot % 4;
        }
        CpuTensor losses = at.garbage(2);
        block
            .router
            .auxiliaryLoss()
            .orElseThrow()
            .backward(
                block.tokens,
                block.routing,
                new AuxiliaryWeights(1, 1),
                losses,
                at.zeros(8, 3),
                at.stream);
        // log(4)² for the z-loss; a float32 sum of four exponentials, measured: 1e-7.
        assertClose("losses", losses, new double[] {1, Math.log(4) * Math.log(4)}, SUMS);
      }
    }
  }

  @ParameterizedTest
  @EnumSource
  void showsNaNAndSurvivesInfinity(Loops loops) {
    LayerSpec spec = BlockSpecs.training(3, 2, 4, 3, 1);
    try (Workplace at = new Workplace(loops);
        Block block = new Block(at, spec, 3)) {
      assertThat(losses(at, block, Float.NEGATIVE_INFINITY)).doesNotContain(Double.NaN);
      assertThat(losses(at, block, Float.NaN)).containsOnly(Double.NaN);
    }
  }

  /// With the first logit's bias at `value`.
  private static double[] losses(Workplace at, Block block, float value) {
    CpuTensor bias = (CpuTensor) block.parameters.linear("router").bias();
    requireNonNull(bias).floats().array()[bias.floats().at()] = value;
    block.route();
    CpuTensor losses = at.garbage(2);
    block
        .router
        .auxiliaryLoss()
        .orElseThrow()
        .backward(
            block.tokens,
            block.routing,
            new AuxiliaryWeights(1, 1),
            losses,
            at.zeros(3, 2),
            at.stream);
    return numbers(losses);
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
