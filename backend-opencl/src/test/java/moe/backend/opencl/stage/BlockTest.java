package moe.backend.opencl.stage;

import static java.util.Objects.requireNonNull;
import static moe.backend.opencl.Close.SUMS;
import static moe.backend.opencl.Close.assertClose;
import static moe.backend.opencl.Workplace.ids;
import static moe.backend.opencl.Workplace.numbers;
import static org.assertj.core.api.Assertions.assertThat;

import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import moe.backend.opencl.Devices;
import moe.backend.opencl.Numeric;
import moe.backend.opencl.OpenClTensor;
import moe.backend.opencl.Workplace;
import moe.spi.device.Activation;
import moe.spi.device.DType;
import moe.spi.stage.LayerSpec;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// Router, staged path and fused path, forward and backward, against a block in double precision.
class BlockTest {
  @ParameterizedTest
  @CsvSource({
    "PROCESSOR, 0, 5, 7, 5, 1",
    "PROCESSOR, 1, 5, 7, 1, 1",
    "PROCESSOR, 31, 64, 33, 5, 5",
    "PROCESSOR, 33, 130, 64, 64, 2",
    "PROCESSOR, 33, 64, 130, 5, 3",
    "GPU, 1, 5, 7, 5, 2",
    "GPU, 33, 130, 64, 64, 2"
  })
  void stagedAndFusedEqualTheReference(
      Devices devices, int rows, int dModel, int dHidden, int experts, int topK) {
    LayerSpec spec = BlockSpecs.training(rows, dModel, dHidden, experts, topK);
    for (boolean gated : new boolean[] {false, true}) {
      checkForward(devices, BlockSpecs.with(spec, Activation.SILU, gated, gated), rows);
      checkForward(devices, BlockSpecs.with(spec, Activation.GELU, gated, !gated), rows);
      LayerSpec relu = BlockSpecs.with(spec, Activation.RELU, gated, true);
      checkForward(devices, BlockSpecs.inference(relu, DType.F32), rows);
    }
  }

  private static void checkForward(Devices devices, LayerSpec spec, int rows) {
    try (Workplace at = new Workplace(devices);
        Block block = new Block(at, spec, rows)) {
      Reference reference = new Reference(spec);
      double[] logits = reference.logits(block.weights(), numbers(block.tokens));
      int[] expected = reference.expertIds(logits);
      block.route();
      assertThat(ids(block.routing.expertIds())).containsExactly(expected);
      // Rounding of logits of size 10 in float32 moves a gate by up to 10 · 6e-8 of itself, and the
      // logit's sum by more.
      assertClose("gates", block.routing.gates(), reference.gates(logits, expected), 4 * SUMS);
      double[] out =
          reference.block(
              block.weights(), numbers(block.tokens), expected, numbers(block.routing.gates()));
      block.forwardStaged();
      assertClose("staged", block.out, out, SUMS);
      var fused = at.garbage(rows, spec.dModel());
      block.forwardFused(fused);
      assertThat(numbers(fused)).as("fused equals staged").isEqualTo(numbers(block.out));
    }
  }

  @ParameterizedTest
  @CsvSource({
    "PROCESSOR, 1, 5, 7, 1, 1, GELU, false", "PROCESSOR, 13, 10, 9, 5, 3, GELU, false",
    "PROCESSOR, 13, 10, 9, 5, 5, SILU, true", "PROCESSOR, 9, 17, 16, 3, 2, SILU, false",
    "GPU, 13, 10, 9, 5, 3, GELU, false", "GPU, 9, 17, 16, 3, 2, SILU, true"
  })
  void gradientsEqualDifferencesOfTheReference(
      Devices devices,
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
      try (Workplace at = new Workplace(devices);
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
      var idTensor = (OpenClTensor) block.routing.expertIds();
      var gateTensor = (OpenClTensor) block.routing.gates();
      at.set(idTensor, 2L * spec.topK(), -1);
      double[] gates =
          reference.gates(reference.logits(block.weights(), numbers(block.tokens)), ids(idTensor));
      at.fill(gateTensor, gates);
    }
    int[] ids = ids(block.routing.expertIds());
    var dOut = at.random(rows, spec.dModel());
    var dTokens = at.random(rows, spec.dModel());
    var dGates = at.garbage(rows, spec.topK());
    Map<String, double[]> before = new HashMap<>();
    block
        .parameters
        .all()
        .forEach(p -> before.put(p.name(), numbers(requireNonNull(p.gradient()))));
    double[] tokensBefore = numbers(dTokens);
    if (fused) {
      block.forwardFused(block.out);
      block.backwardFused(dOut, dTokens, dGates);
    } else {
      block.forwardStaged();
      block.backwardStaged(dOut, dTokens, dGates);
    }

    Map<String, double[]> weights = block.weights();
    double[] gates = numbers(block.routing.gates());
    double[] expectedGates =
        Numeric.gradient(
            v -> reference.block(weights, numbers(block.tokens), ids, v), gates, numbers(dOut));
    assertClose("dGates", dGates, expectedGates, SUMS);
    double[] expectedTokens =
        Numeric.gradient(
            v -> whole(reference, weights, v, ids), numbers(block.tokens), numbers(dOut));
    assertClose("dTokens", dTokens, Numeric.plus(tokensBefore, expectedTokens), 4 * SUMS);
    block
        .parameters
        .all()
        .forEach(p -> {
          double[] expected =
              Numeric.gradient(
                  v -> {
                    Map<String, double[]> moved = new HashMap<>(weights);
                    moved.put(p.name(), v);
                    return whole(reference, moved, numbers(block.tokens), ids);
                  },
                  requireNonNull(weights.get(p.name())),
                  numbers(dOut));
          assertClose(
              p.name(),
              requireNonNull(p.gradient()),
              Numeric.plus(requireNonNull(before.get(p.name())), expected),
              4 * SUMS);
        });
  }

  private static double[] whole(
      Reference reference, Map<String, double[]> weights, double[] tokens, int[] ids) {
    double[] gates = reference.gates(reference.logits(weights, tokens), ids);
    return reference.block(weights, tokens, ids, gates);
  }

  @ParameterizedTest
  @CsvSource({"PROCESSOR, 37", "GPU, 5"})
  void dropsNothingWhenAllTokensChooseOneExpert(Devices devices, int rows) {
    LayerSpec spec = BlockSpecs.training(rows, 20, 24, 5, 1);
    try (Workplace at = new Workplace(devices);
        Block block = new Block(at, spec, rows)) {
      var idTensor = (OpenClTensor) block.routing.expertIds();
      var gateTensor = (OpenClTensor) block.routing.gates();
      double[] ones = new double[rows];
      Arrays.fill(ones, 1);
      int[] threes = new int[rows];
      Arrays.fill(threes, 3);
      at.stream.upload(MemorySegment.ofArray(threes), idTensor);
      at.fill(gateTensor, ones);
      block.forwardStaged();
      double[] expected =
          new Reference(spec).block(block.weights(), numbers(block.tokens), threes, ones);
      assertClose("out", block.out, expected, SUMS);
      assertThat(ids(block.dispatched.offsets())).containsExactly(0, 0, 0, 0, rows, rows);
    }
  }
}
