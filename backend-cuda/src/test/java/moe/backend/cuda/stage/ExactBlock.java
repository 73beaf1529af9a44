package moe.backend.cuda.stage;

import static java.util.Objects.requireNonNull;

import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.IntStream;
import moe.conformance.reference.Choice;
import moe.conformance.reference.Dense;
import moe.conformance.reference.Experts;
import moe.conformance.reference.Mixture;
import moe.spi.device.Activation;
import moe.spi.stage.LayerSpec;

/// A block in double precision, by the reference of the conformance kit, with experts that were
/// chosen elsewhere.
///
/// @param numbers tokens, dOut and the parameters by their names
/// @param logits `[tokens, experts]`
/// @param ids `[tokens, topK]`
@SuppressWarnings("ArrayRecordComponent") // for plain loops; never compared
record ExactBlock(LayerSpec spec, Map<String, double[]> numbers, double[] logits, int[] ids) {
  static ExactBlock of(LayerSpec spec, Map<String, float[]> numbers, int[] ids) {
    Map<String, double[]> doubles = new LinkedHashMap<>();
    numbers.forEach((name, values) -> {
      double[] wide = new double[values.length];
      Arrays.setAll(wide, i -> values[i]);
      doubles.put(name, wide);
    });
    int tokens = ids.length / spec.topK();
    double[] logits =
        Dense.linear(
                number(doubles, "tokens"),
                number(doubles, "router.weight"),
                doubles.get("router.bias"),
                Activation.NONE,
                tokens,
                spec.dModel(),
                spec.experts())
            .values();
    return new ExactBlock(spec, doubles, logits, ids);
  }

  /// By how much the best logit that was passed over is above the worst that was chosen: below 0 if
  /// the choice is right.
  double misjudged() {
    double worst = Double.NEGATIVE_INFINITY;
    for (int first = 0; first < ids.length; first += spec.topK()) {
      double[] left = Arrays.copyOfRange(logits, at(first, 0), at(first, spec.experts()));
      double chosen = Double.POSITIVE_INFINITY;
      for (int slot = first; slot < first + spec.topK(); slot++) {
        chosen = Math.min(chosen, left[ids[slot]]);
        left[ids[slot]] = Double.NEGATIVE_INFINITY; // and so no expert twice
      }
      worst = Math.max(worst, Arrays.stream(left).max().orElseThrow() - chosen);
    }
    return worst;
  }

  /// Whether the chosen experts are as a load says.
  boolean follows(BlockCase.Load load) {
    int topK = spec.topK();
    return IntStream.range(0, ids.length / topK)
        .allMatch(t -> load.holds(Arrays.copyOfRange(ids, t * topK, (t + 1) * topK)));
  }

  /// Right numbers.
  ///
  /// @param size the squared norm that errors are relative to
  @SuppressWarnings("ArrayRecordComponent")
  record Exact(double[] values, double size) {
    static Exact of(double[] values) {
      return new Exact(values, sumOfSquares(values));
    }
  }

  /// Results and gradients by their names.
  Map<String, Exact> results() {
    int tokens = ids.length / spec.topK();
    double[] x = number(numbers, "tokens");
    double[] gates = Choice.gates(logits, ids, spec.experts(), spec.topK());
    Map<String, double[]> weights = new TreeMap<>(numbers);
    weights.keySet().removeIf(name -> !name.startsWith("experts."));
    Experts experts = new Experts(spec, weights);
    Mixture mixture = new Mixture(spec, experts, x, ids, gates);
    Map<String, Exact> results = new LinkedHashMap<>();
    results.put("gates", Exact.of(gates));
    results.put("out", Exact.of(mixture.forward().values()));
    if (!spec.training()) {
      return results;
    }
    Mixture.Gradients back = mixture.backward(number(numbers, "dOut"));
    double[] dGates = back.gates().values();
    results.put("dGates", Exact.of(dGates));
    double[] dChosen = Choice.backward(ids, gates, dGates, spec.topK()).values();
    double[] dLogits = new double[logits.length];
    for (int slot = 0; slot < ids.length; slot++) {
      dLogits[at(slot, ids[slot])] += dChosen[slot];
    }
    int n = spec.experts();
    double[] routed =
        Dense.linearInput(dLogits, number(numbers, "router.weight"), tokens, spec.dModel(), n)
            .values();
    double[] dTokens = back.tokens().addedTo(routed).values();
    results.put("dTokens", Exact.of(dTokens));
    double[] dWeight = Dense.linearWeight(dLogits, x, tokens, spec.dModel(), n).values();
    results.put("router.weight", Exact.of(dWeight));
    // As few numbers as experts, and 0 in sum: now and then all are small differences of large
    // terms. So errors are relative to the terms, whose squares add up to as much on average.
    double[] dBias = Dense.columns(dLogits, tokens, n).values();
    results.put("router.bias", new Exact(dBias, sumOfSquares(dLogits)));
    experts
        .gradients()
        .forEach((name, sums) -> results.put(name, Exact.of(sums.bounded().values())));
    return results;
  }

  private static double[] number(Map<String, double[]> numbers, String name) {
    return requireNonNull(numbers.get(name), name);
  }

  private static double sumOfSquares(double[] values) {
    return Arrays.stream(values).map(value -> value * value).sum();
  }

  private int at(int slot, int expert) {
    return slot / spec.topK() * spec.experts() + expert;
  }
}
