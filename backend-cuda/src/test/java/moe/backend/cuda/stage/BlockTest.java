package moe.backend.cuda.stage;

import static java.util.Objects.requireNonNull;
import static moe.backend.cuda.Twins.SUMS;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import moe.backend.cuda.Twins;
import moe.backend.cuda.Twins.Side;
import moe.backend.cuda.Twins.Twin;
import moe.spi.device.Activation;
import moe.spi.device.DType;
import moe.spi.device.Shape;
import moe.spi.stage.Dispatched;
import moe.spi.stage.LayerSpec;
import moe.spi.stage.Parameter;
import moe.spi.stage.ParameterSpec;
import moe.spi.stage.Parameters;
import moe.spi.stage.Routing;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// Router, staged path and fused path, forward and backward, beside the CPU backend's.
class BlockTest {
  @ParameterizedTest
  @CsvSource({
    "0, 5, 7, 5, 1, GELU, false, true", "1, 8, 12, 5, 2, SILU, true, true",
    "31, 64, 33, 5, 5, GELU, false, true", "70, 20, 24, 5, 1, RELU, false, false",
    "33, 130, 64, 40, 2, SILU, true, false"
  })
  void trainsLikeTheCpu(
      int tokens,
      int dModel,
      int dHidden,
      int experts,
      int topK,
      Activation activation,
      boolean gated,
      boolean bias) {
    var spec =
        new LayerSpec(
            Math.max(1, tokens),
            dModel,
            dHidden,
            experts,
            topK,
            activation,
            gated,
            bias,
            DType.F32,
            true);
    for (boolean fused : new boolean[] {false, true}) {
      try (Twins at = new Twins(fused ? 32 : 37)) {
        check(at, spec, tokens, fused, closely(at));
      }
    }
  }

  @ParameterizedTest
  @CsvSource({"4, 16, 24, 4, 2", "40, 24, 33, 3, 2"})
  void infersWithHalfWeights(int tokens, int dModel, int dHidden, int experts, int topK) {
    var spec =
        new LayerSpec(
            tokens,
            dModel,
            dHidden,
            experts,
            topK,
            Activation.GELU,
            false,
            true,
            DType.BF16,
            false);
    try (Twins at = new Twins(32)) {
      check(at, spec, tokens, true, closely(at));
    }
  }

  @ParameterizedTest
  @CsvSource({"1, 16, 40, 5, 3, false", "2, 132, 24, 40, 2, true", "1, 36, 1540, 4, 4, true"})
  void infersAFewTokens(int tokens, int dModel, int dHidden, int experts, int topK, boolean gated) {
    var spec =
        new LayerSpec(
            tokens, dModel, dHidden, experts, topK, Activation.SILU, gated, true, DType.F32, false);
    try (Twins at = new Twins(32)) {
      check(at, spec, tokens, true, closely(at));
    }
  }

  /// What is to be said of a result.
  interface Judge {
    /// Compares the halves of a result.
    ///
    /// @param wide whether it went through more sums than others
    void judge(String what, Twin result, boolean wide);
  }

  private static Judge closely(Twins at) {
    return (what, result, wide) -> at.assertClose(what, result, wide ? 4 * SUMS : SUMS);
  }

  static void check(Twins at, LayerSpec spec, int tokens, boolean fused, Judge judge) {
    Map<String, Twin> values = new LinkedHashMap<>();
    Map<String, Twin> gradients = new LinkedHashMap<>();
    for (ParameterSpec p : specs(spec)) {
      long[] dims = dims(p.shape());
      values.put(p.name(), p.type() == DType.BF16 ? at.randomHalves(dims) : scaled(at, dims));
      if (spec.training()) {
        gradients.put(p.name(), at.random(dims));
      }
    }
    Data data = new Data(at, spec, tokens);
    at.both(side -> run(side, spec, parameters(side, values, gradients), data, fused));
    at.assertSame("ids", data.ids);
    judge.judge("gates", data.gates, true);
    judge.judge("out", data.out, false);
    if (spec.training()) {
      judge.judge("dGates", data.dGates, false);
      judge.judge("dTokens", data.dTokens, true);
      gradients.forEach((name, twin) -> judge.judge("gradient of " + name, twin, true));
    }
    if (!fused) {
      at.assertSame("offsets", data.offsets);
      at.assertSame("positions", data.positions);
    }
  }

  /// What a block reads and writes.
  private static final class Data {
    final Twin tokens;
    final Twin ids;
    final Twin gates;
    final Twin out;
    final Twin dOut;
    final Twin dGates;
    final Twin dTokens;
    final Twin offsets;
    final Twin assignments;
    final Twin positions;
    final Twin rows;
    final Twin dRows;

    Data(Twins at, LayerSpec spec, int n) {
      int slots = n * spec.topK();
      tokens = at.random(n, spec.dModel());
      ids = at.randomInts(1, n, spec.topK());
      gates = at.garbage(n, spec.topK());
      out = at.garbage(n, spec.dModel());
      dOut = at.random(n, spec.dModel());
      dGates = at.garbage(n, spec.topK());
      dTokens = at.random(n, spec.dModel());
      offsets = at.randomInts(1, spec.experts() + 1);
      assignments = at.randomInts(1, slots);
      positions = at.randomInts(1, slots);
      rows = at.garbage(slots, spec.dModel());
      dRows = at.garbage(slots, spec.dModel());
    }

    BlockPass.Buffers on(Side side) {
      return new BlockPass.Buffers(
          side.of(tokens),
          new Routing(side.of(ids), side.of(gates)),
          side.of(out),
          side.of(dOut),
          side.of(dGates),
          side.of(dTokens),
          new Dispatched(side.of(offsets), side.of(assignments), side.of(positions), null),
          side.of(rows),
          side.of(dRows));
    }
  }

  private static void run(
      Side side, LayerSpec spec, Parameters parameters, Data data, boolean fused) {
    new BlockPass(side.backend, side.stream, spec, parameters, data.on(side)).run(fused);
  }

  private static List<ParameterSpec> specs(LayerSpec spec) {
    List<ParameterSpec> specs = new ArrayList<>(new TopKRouterFactory().parameters(spec));
    specs.addAll(new FusedFfnExecutorFactory().parameters(spec));
    return specs;
  }

  private static Parameters parameters(
      Side side, Map<String, Twin> values, Map<String, Twin> gradients) {
    List<Parameter> all = new ArrayList<>();
    values.forEach((name, twin) -> {
      @Nullable Twin gradient = gradients.get(name);
      all.add(
          new Parameter(
              name, side.of(twin), gradient == null ? null : side.of(requireNonNull(gradient))));
    });
    return new Parameters(all);
  }

  /// Weights that keep the size of what they multiply.
  private static Twin scaled(Twins at, long... dims) {
    return at.random(Math.sqrt(1.0 / dims[dims.length - 1]), dims);
  }

  private static long[] dims(Shape shape) {
    long[] dims = new long[shape.rank()];
    for (int i = 0; i < dims.length; i++) {
      dims[i] = shape.dim(i);
    }
    return dims;
  }
}
