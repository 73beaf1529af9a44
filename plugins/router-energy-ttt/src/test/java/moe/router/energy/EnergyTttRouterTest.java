package moe.router.energy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import moe.spi.device.Tensor;
import moe.spi.stage.EnergyPrices;
import moe.spi.stage.Router;
import moe.spi.stage.Routing;
import moe.spi.stage.energy.ExpertCosts;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

final class EnergyTttRouterTest {
  private static final int TOKENS = 12;
  private static final int WIDTH = 8;
  private static final int EXPERTS = 6;

  @ParameterizedTest
  @ValueSource(strings = {"none", "local", "lm"})
  void equalsTopKToTheBitWhereNothingIsWeighed(String objective) {
    try (Bench at = new Bench(TOKENS, WIDTH, EXPERTS, 2)) {
      Tensor x = at.normal(new Random(1), 1, TOKENS, WIDTH);
      Router plain = at.plain();
      Router energy =
          at.energy("lambda_energy", 0.0, "ttt", objective, "ttt_rate", 0.0, "ttt_norm", 1.0);
      Routing expected = at.routing(TOKENS);
      Routing actual = at.routing(TOKENS);
      plain.route(x, expected, at.stream);
      energy.route(x, actual, at.stream);
      assertThat(at.ids(actual)).isEqualTo(at.ids(expected));
      assertThat(at.read(actual.gates())).isEqualTo(at.read(expected.gates()));
      assertThat(gradients(at, energy, x, actual)).isEqualTo(gradients(at, plain, x, expected));
    }
  }

  /// All that backward writes.
  private static List<Float> gradients(Bench at, Router router, Tensor x, Routing routing) {
    at.stream.zero(Bench.gradient(at.weight));
    at.stream.zero(Bench.gradient(at.bias));
    Tensor dGates = at.normal(new Random(2), 1, TOKENS, 2);
    Tensor dX = at.tensor(TOKENS, WIDTH);
    router.backward().orElseThrow().backward(x, routing, dGates, dX, at.stream);
    List<Float> all = new ArrayList<>();
    for (Tensor tensor : List.of(dX, Bench.gradient(at.weight), Bench.gradient(at.bias))) {
      for (float value : at.read(tensor)) {
        all.add(value);
      }
    }
    return all;
  }

  @ParameterizedTest
  @ValueSource(doubles = {0, 0.05, 0.5, 5})
  void choosesAsTheFormulaSays(double lambda) {
    for (boolean keep : new boolean[] {true, false}) {
      for (double p : new double[] {1, 0.5}) {
        try (Bench at = new Bench(TOKENS, WIDTH, EXPERTS, 3)) {
          double[][] cost = {{3, 1}, {3, 1}, {6, 2}, {3, 1}, {3, 1}, {3, 1}};
          Router router =
              at.energy(
                  costs(2, 1, 1, 1, 2, 1, 1, 1),
                  "lambda_energy",
                  lambda,
                  "keep_top1",
                  keep,
                  "selection",
                  p < 1 ? "top-p" : "top-k",
                  "p",
                  p,
                  "max_k",
                  3L);
          router.adaptation().orElseThrow().price(new EnergyPrices(2, 1), at.stream);
          double[] beta = {0.3, -0.2, 0.1, 0, 0.25, -0.4};
          at.write(router.balanceBias().orElseThrow(), floats(beta));
          Tensor x = at.normal(new Random(3), 1, TOKENS, WIDTH);
          Routing out = at.routing(TOKENS);
          router.route(x, out, at.stream);

          double[][] z = Formula.rows(at.logits(x), EXPERTS);
          List<List<Integer>> expected = new Formula(lambda, keep, p, 3, beta, cost).choose(z);
          int[] ids = at.ids(out);
          float[] gates = at.read(out.gates());
          for (int token = 0; token < TOKENS; token++) {
            double sum = 0;
            for (int k = 0; k < 3; k++) {
              int slot = token * 3 + k;
              boolean used = k < expected.get(token).size();
              assertThat(ids[slot]).isEqualTo(used ? expected.get(token).get(k) : -1);
              sum += used ? Math.exp(z[token][ids[slot]]) : 0;
            }
            for (int k = 0; k < 3; k++) {
              int slot = token * 3 + k;
              double gate = ids[slot] < 0 ? 0 : Math.exp(z[token][ids[slot]]) / sum;
              // Logits of 8 terms in float32: some 1e-6 of them in a gate.
              assertThat((double) gates[slot]).isCloseTo(gate, within(1e-5));
            }
          }
        }
      }
    }
  }

  private static ExpertCosts costs(double a, double b, double... sizes) {
    double[] size = Arrays.copyOfRange(sizes, sizes.length - EXPERTS, sizes.length);
    ExpertCosts costs = new ExpertCosts(size, size);
    costs.price(a, b);
    return costs;
  }

  private static float[] floats(double[] values) {
    float[] floats = new float[values.length];
    for (int i = 0; i < floats.length; i++) {
      floats[i] = (float) values[i];
    }
    return floats;
  }

  /// Margins between the dear expert and its rival are spread evenly over [0, 1), so of the tokens
  /// that prefer the dear one a share of λ·(ĉ_dear − ĉ_rival) must leave it.
  @Test
  void movesLoadOffAnExpertTwiceAsWideByTheAmountOfTheFormula() {
    int tokens = 1000;
    double lambda = 0.5;
    try (Bench at = new Bench(tokens, 4, 4, 1)) {
      at.stream.zero(at.bias.value());
      at.write(at.weight.value(), 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1);
      float[] x = new float[tokens * 4];
      for (int t = 0; t < tokens; t++) {
        x[4 * t] = (t + 0.5f) / tokens; // above the rival by 0 to 1
        x[4 * t + 2] = -9;
        x[4 * t + 3] = -9;
      }
      Tensor in = at.tensor(tokens, 4);
      at.write(in, x);
      double[] size = {2, 1, 1, 1};
      ExpertCosts costs = new ExpertCosts(size, size);
      Router router =
          at.energy(costs, "lambda_energy", lambda, "keep_top1", false, "flops_per_byte", 1e-6);
      Routing out = at.routing(tokens);
      router.route(in, out, at.stream);
      long moved = Arrays.stream(at.ids(out)).filter(id -> id == 1).count();
      // Reading costs nothing here, so ĉ = size / mean size = 1.6 and 0.8.
      double share = lambda * (2 / 1.25 - 1 / 1.25);
      assertThat((double) moved / tokens).isCloseTo(share, within(2.0 / tokens));
      assertThat(Arrays.stream(at.ids(out)).filter(id -> id == 0).count())
          .isEqualTo(tokens - moved);
    }
  }

  @Test
  void readsFewerExpertsTheMoreEnergyWeighsIfTokensAreFew() {
    try (Bench at = new Bench(512, WIDTH, 64, 4)) {
      Tensor few = at.normal(new Random(5), 1, 8, WIDTH);
      Tensor many = at.normal(new Random(6), 1, 512, WIDTH);
      double before = 65;
      for (double lambda : new double[] {0, 0.1, 0.3, 1, 3}) {
        Router router = at.energy("lambda_energy", lambda, "ttt", "none");
        Routing small = at.routing(8);
        router.route(few, small, at.stream);
        double distinct = Arrays.stream(at.ids(small)).distinct().count();
        assertThat(distinct).isLessThanOrEqualTo(before);
        before = distinct;
        Routing large = at.routing(512);
        router.route(many, large, at.stream);
        if (lambda <= 0.3) { // a batch that needs most experts anyway goes on reading them
          assertThat(Arrays.stream(at.ids(large)).distinct().count()).isGreaterThan(50);
        }
      }
      assertThat(before).isLessThan(16);
    }
  }
}
