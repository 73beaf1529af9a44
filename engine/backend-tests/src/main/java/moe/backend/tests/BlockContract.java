package moe.backend.tests;

import static moe.backend.tests.Close.SUMS;
import static org.assertj.core.api.Assertions.assertThat;

import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.Map;
import moe.spi.device.Activation;
import moe.spi.device.DType;
import moe.spi.stage.LayerSpec;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// Router, staged path and fused path, forward and backward, against a block in double precision.
public abstract class BlockContract implements Place {
  @ParameterizedTest
  @CsvSource({
    "MAIN, 0, 5, 7, 5, 1",
    "MAIN, 1, 5, 7, 1, 1",
    "MAIN, 31, 64, 33, 5, 5",
    "MAIN, 33, 130, 64, 64, 2",
    "MAIN, 33, 64, 130, 5, 3",
    "OTHER, 1, 5, 7, 5, 2",
    "OTHER, 33, 130, 64, 64, 2"
  })
  void stagedAndFusedEqualTheReference(
      Way way, int rows, int dModel, int dHidden, int experts, int topK) {
    LayerSpec spec = BlockSpecs.training(rows, dModel, dHidden, experts, topK);
    for (boolean gated : new boolean[] {false, true}) {
      checkForward(way, BlockSpecs.with(spec, Activation.SILU, gated, gated), rows);
      checkForward(way, BlockSpecs.with(spec, Activation.GELU, gated, !gated), rows);
      LayerSpec relu = BlockSpecs.with(spec, Activation.RELU, gated, true);
      checkForward(way, BlockSpecs.inference(relu, DType.F32), rows);
      if (storesBf16()) {
        checkForward(way, BlockSpecs.inference(relu, DType.BF16), rows);
      }
    }
  }

  /// Whether a block for inference may have weights in bfloat16.
  protected abstract boolean storesBf16();

  private void checkForward(Way way, LayerSpec spec, int rows) {
    try (Workplace at = open(way);
        Block block = new Block(at, spec, rows)) {
      Reference reference = new Reference(spec);
      double[] logits = reference.logits(block.weights(), at.numbers(block.tokens));
      int[] expected = reference.expertIds(logits);
      block.route();
      assertThat(at.ids(block.routing.expertIds())).containsExactly(expected);
      // Rounding of logits of size 10 in float32 moves a gate by up to 10 · 6e-8 of itself, and the
      // logit's sum by more.
      at.assertClose("gates", block.routing.gates(), reference.gates(logits, expected), 4 * SUMS);
      double[] out =
          reference.block(
              block.weights(),
              at.numbers(block.tokens),
              expected,
              at.numbers(block.routing.gates()));
      block.forwardStaged();
      at.assertClose("staged", block.out, out, SUMS);
      var fused = at.garbage(rows, spec.dModel());
      block.forwardFused(fused);
      assertThat(at.numbers(fused)).as("fused equals staged").isEqualTo(at.numbers(block.out));
    }
  }

  @ParameterizedTest
  @CsvSource({
    "MAIN, 1, 5, 7, 1, 1, GELU, false", "MAIN, 13, 10, 9, 5, 3, GELU, false",
    "MAIN, 13, 10, 9, 5, 5, SILU, true", "MAIN, 9, 17, 16, 3, 2, SILU, false",
    "OTHER, 13, 10, 9, 5, 3, GELU, false", "OTHER, 9, 17, 16, 3, 2, SILU, true"
  })
  void gradientsEqualDifferencesOfTheReference(
      Way way,
      int rows,
      int dModel,
      int dHidden,
      int experts,
      int topK,
      Activation activation,
      boolean gated) {
    LayerSpec spec =
        BlockSpecs.with(
            BlockSpecs.training(rows, dModel, dHidden, experts, topK), activation, gated, true);
    for (boolean fused : new boolean[] {false, true}) {
      try (Workplace at = open(way);
          Block block = new Block(at, spec, rows)) {
        checkGradients(at, block, rows, fused);
      }
    }
  }

  private static void checkGradients(Workplace at, Block block, int rows, boolean fused) {
    LayerSpec spec = block.spec;
    Reference reference = new Reference(spec);
    block.route();
    if (rows > 2) {
      // An unused slot, as a router with a capacity makes them.
      var idTensor = block.routing.expertIds();
      var gateTensor = block.routing.gates();
      at.set(idTensor, 2L * spec.topK(), -1);
      double[] gates =
          reference.gates(
              reference.logits(block.weights(), at.numbers(block.tokens)), at.ids(idTensor));
      at.fill(gateTensor, gates);
    }
    int[] ids = at.ids(block.routing.expertIds());
    var dOut = at.random(rows, spec.dModel());
    var dTokens = at.random(rows, spec.dModel());
    var dGates = at.garbage(rows, spec.topK());
    Map<String, double[]> before = block.gradients();
    double[] tokensBefore = at.numbers(dTokens);
    if (fused) {
      block.forwardFused(block.out);
      block.backwardFused(dOut, dTokens, dGates);
    } else {
      block.forwardStaged();
      block.backwardStaged(dOut, dTokens, dGates);
    }

    Map<String, double[]> weights = block.weights();
    double[] gates = at.numbers(block.routing.gates());
    double[] expectedGates =
        Numeric.gradient(
            v -> reference.block(weights, at.numbers(block.tokens), ids, v),
            gates,
            at.numbers(dOut));
    at.assertClose("dGates", dGates, expectedGates, SUMS);
    double[] expectedTokens =
        Numeric.gradient(
            v -> whole(reference, weights, v, ids), at.numbers(block.tokens), at.numbers(dOut));
    at.assertClose("dTokens", dTokens, Numeric.plus(tokensBefore, expectedTokens), 4 * SUMS);
    double[] tokens = at.numbers(block.tokens);
    block.assertAdded(
        before, moved -> whole(reference, moved, tokens, ids), at.numbers(dOut), 4 * SUMS);
  }

  private static double[] whole(
      Reference reference, Map<String, double[]> weights, double[] tokens, int[] ids) {
    double[] gates = reference.gates(reference.logits(weights, tokens), ids);
    return reference.block(weights, tokens, ids, gates);
  }

  @ParameterizedTest
  @CsvSource({"MAIN, 37", "OTHER, 5"})
  void dropsNothingWhenAllTokensChooseOneExpert(Way way, int rows) {
    LayerSpec spec = BlockSpecs.training(rows, 20, 24, 5, 1);
    try (Workplace at = open(way);
        Block block = new Block(at, spec, rows)) {
      var idTensor = block.routing.expertIds();
      var gateTensor = block.routing.gates();
      double[] ones = new double[rows];
      Arrays.fill(ones, 1);
      int[] threes = new int[rows];
      Arrays.fill(threes, 3);
      at.stream.upload(MemorySegment.ofArray(threes), idTensor);
      at.fill(gateTensor, ones);
      block.forwardStaged();
      double[] expected =
          new Reference(spec).block(block.weights(), at.numbers(block.tokens), threes, ones);
      at.assertClose("out", block.out, expected, SUMS);
      assertThat(at.ids(block.dispatched.offsets())).containsExactly(0, 0, 0, 0, rows, rows);
    }
  }
}
