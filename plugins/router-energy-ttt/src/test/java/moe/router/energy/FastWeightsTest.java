package moe.router.energy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.Arrays;
import java.util.Objects;
import java.util.Random;
import moe.spi.device.Tensor;
import moe.spi.stage.Adaptation;
import moe.spi.stage.Router;
import moe.spi.stage.Routing;
import moe.spi.stage.energy.ExpertCosts;
import moe.spi.stage.energy.LocalObjective;
import org.junit.jupiter.api.Test;

final class FastWeightsTest {
  private static final int EXPERTS = 5;
  private static final double[] COSTS = {1, 2, 0.5, 1, 0.5};

  @Test
  void localGradientIsThatOfItsFormula() {
    Random random = new Random(4);
    double[][] z = new double[7][EXPERTS];
    double[] p = new double[EXPERTS];
    double[] products = new double[EXPERTS * EXPERTS];
    for (double[] row : z) {
      for (int e = 0; e < EXPERTS; e++) {
        row[e] = random.nextGaussian();
      }
      double[] soft = Formula.softmax(row);
      for (int i = 0; i < products.length; i++) {
        products[i] += soft[i / EXPERTS] * soft[i % EXPERTS];
      }
      for (int e = 0; e < EXPERTS; e++) {
        p[e] += soft[e];
      }
    }
    double[] gradient = new double[EXPERTS];
    LocalObjective.gradient(z.length, p, products, COSTS.clone(), 0.7, 0.3, gradient);
    double step = 1e-5;
    for (int e = 0; e < EXPERTS; e++) {
      double[] up = new double[EXPERTS];
      double[] down = new double[EXPERTS];
      up[e] = step;
      down[e] = -step;
      double slope =
          (Formula.local(z, up, COSTS, 0.7, 0.3) - Formula.local(z, down, COSTS, 0.7, 0.3))
              / (2 * step);
      // Differences of 1e-5 leave an error of some 1e-10.
      assertThat(gradient[e]).isCloseTo(slope, within(1e-8));
    }
  }

  @Test
  void localMovesAfterTheCallAndLowersItsObjective() {
    try (Bench at = new Bench(16, 8, EXPERTS, 2)) {
      Router router =
          at.energy("lambda_energy", 0.5, "ttt", "local", "ttt_rate", 0.2, "ttt_evenness", 0.1);
      Router still = at.energy("lambda_energy", 0.5, "ttt", "none");
      Tensor x = at.normal(new Random(8), 1, 16, 8);
      Routing first = at.routing(16);
      Routing unlearnt = at.routing(16);
      router.route(x, first, at.stream);
      still.route(x, unlearnt, at.stream);
      // Apply, then update: the first call has not seen its own update.
      assertThat(at.read(first.gates())).isEqualTo(at.read(unlearnt.gates()));
      float[] delta = at.read(fast(router));
      double[][] z = Formula.rows(at.logits(x), EXPERTS);
      double[] costs = new double[EXPERTS];
      ExpertCosts prices = ExpertCosts.equal(at.spec);
      prices.price(50, 1);
      for (int e = 0; e < EXPERTS; e++) {
        int expert = e;
        double n = Arrays.stream(at.ids(first)).filter(id -> id == expert).count();
        costs[e] = prices.shared(e, n, n > 0 ? 1 : 0);
      }
      double before = Formula.local(z, new double[EXPERTS], costs, 0.5, 0.1);
      double after = Formula.local(z, doubles(delta), costs, 0.5, 0.1);
      assertThat(after).isLessThan(before);
      assertThat(router.adaptation().orElseThrow().progress().updates()).isEqualTo(1);
    }
  }

  @Test
  void lmStepsAgainstTheGradientOfTheBiasWithinTheNorm() {
    for (double norm : new double[] {100, 0.01}) {
      try (Bench at = new Bench(4, 8, EXPERTS, 2)) {
        Router router = at.energy("ttt", "lm", "ttt_rate", 0.5, "ttt_norm", norm);
        Tensor x = at.normal(new Random(9), 1, 4, 8);
        Routing out = at.routing(4);
        router.route(x, out, at.stream);
        Tensor dGates = at.normal(new Random(10), 1, 4, 2);
        router.backward().orElseThrow().backward(x, out, dGates, at.tensor(4, 8), at.stream);
        double[] gradient = doubles(at.read(Bench.gradient(at.bias)));
        double[] delta = doubles(at.read(fast(router)));
        double length = length(gradient) * 0.5;
        double shrink = Math.min(1, norm / length);
        for (int e = 0; e < EXPERTS; e++) {
          assertThat(delta[e]).isCloseTo(-0.5 * shrink * gradient[e], within(1e-6 * length));
        }
        assertThat(length(delta)).isLessThanOrEqualTo(norm * (1 + 1e-6));
      }
    }
  }

  @Test
  void waitsForChunksAndForgetsAtDocumentsIfAsked() {
    try (Bench at = new Bench(4, 8, EXPERTS, 2)) {
      Router router =
          at.energy("ttt", "local", "chunk_size", 8L, "ttt_every", 2L, "reset", "document");
      Adaptation adaptation = router.adaptation().orElseThrow();
      Routing out = at.routing(4);
      for (int call = 1; call <= 8; call++) {
        router.route(at.normal(new Random(call), 1, 4, 8), out, at.stream);
        assertThat(adaptation.progress().updates()).isEqualTo(call / 4);
      }
      assertThat(length(doubles(at.read(fast(router))))).isPositive();
      adaptation.beginDocument(at.stream);
      assertThat(at.read(fast(router))).containsOnly(0f);
    }
  }

  @Test
  void goesOnFromItsStateToTheBit() {
    try (Bench at = new Bench(4, 8, EXPERTS, 2)) {
      Object[] settings = {"lambda_energy", 0.3, "ttt", "local", "chunk_size", 6L, "ttt_rate", 1.0};
      Router whole = at.energy(settings);
      Router later = at.energy(settings);
      Routing out = at.routing(4);
      for (int call = 0; call < 3; call++) {
        whole.route(at.normal(new Random(call), 1, 4, 8), out, at.stream);
      }
      whole
          .adaptation()
          .orElseThrow()
          .state()
          .forEach((name, tensor) -> at.stream.copy(tensor, state(later, name)));
      for (int call = 3; call < 6; call++) {
        Tensor x = at.normal(new Random(call), 1, 4, 8);
        Routing other = at.routing(4);
        whole.route(x, out, at.stream);
        later.route(x, other, at.stream);
        assertThat(at.read(other.gates())).isEqualTo(at.read(out.gates()));
      }
      assertThat(at.read(fast(later))).isEqualTo(at.read(fast(whole)));
    }
  }

  @Test
  void keepsStateOfOneShapeWhateverItLearnsFrom() {
    try (Bench at = new Bench(4, 8, EXPERTS, 2)) {
      Router none = at.energy("ttt", "none");
      Router local = at.energy("ttt", "local");
      none.adaptation()
          .orElseThrow()
          .state()
          .forEach(
              (name, tensor) -> assertThat(tensor.shape()).isEqualTo(state(local, name).shape()));
    }
  }

  private static Tensor fast(Router router) {
    return state(router, "fast");
  }

  static Tensor state(Router router, String name) {
    return Objects.requireNonNull(router.adaptation().orElseThrow().state().get(name));
  }

  private static double[] doubles(float[] values) {
    double[] doubles = new double[values.length];
    for (int i = 0; i < values.length; i++) {
      doubles[i] = values[i];
    }
    return doubles;
  }

  private static double length(double[] values) {
    double sum = 0;
    for (double value : values) {
      sum += value * value;
    }
    return Math.sqrt(sum);
  }
}
