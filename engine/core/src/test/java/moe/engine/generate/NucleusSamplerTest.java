package moe.engine.generate;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.util.Comparator;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import moe.spi.error.ErrorKind;
import moe.spi.error.MoeException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

final class NucleusSamplerTest {
  /// Probabilities 1/8, 1/2, 1/8, 1/4 at temperature 1.
  private static final float[] LOGITS = {log(1), log(4), log(1), log(2)};

  private static final int POINTS = 100_000;

  // A border may fall on either side of a point; float32 logits move it by less than that.
  private static final double ONE_POINT = 1.01 / POINTS;

  private static float log(double x) {
    return (float) Math.log(x);
  }

  @Test
  void drawsFromTheWholeDistributionWithTopP1() {
    assertShares(1, 1, 1 / 8., 1 / 2., 1 / 8., 1 / 4.);
  }

  @Test
  void sharpensWithLowTemperatureAndFlattensWithHigh() {
    // p^2 and p^(1/2), divided by their sums.
    assertShares(.5, 1, 1 / 22., 16 / 22., 1 / 22., 4 / 22.);
    double sum = 4 + Math.sqrt(2);
    assertShares(2, 1, 1 / sum, 2 / sum, 1 / sum, Math.sqrt(2) / sum);
  }

  @Test
  void keepsTheFewestTokensThatReachTopP() {
    assertShares(1, .49, 0, 1, 0, 0);
    assertShares(1, .51, 0, 2 / 3., 0, 1 / 3.);
    assertShares(1, .74, 0, 2 / 3., 0, 1 / 3.);
    // Of the equals 0 and 2, the smaller id.
    assertShares(1, .76, 1 / 7., 4 / 7., 0, 2 / 7.);
    assertShares(1, 1e-300, 0, 1, 0, 0);
  }

  @Test
  void appliesTheTemperatureBeforeTopP() {
    // At temperature 1/2 the best token alone has 16/22 = 0.727.
    assertShares(.5, .72, 0, 1, 0, 0);
    assertShares(.5, .74, 0, 4 / 5., 0, 1 / 5.);
  }

  private static void assertShares(double temperature, double topP, double... expected) {
    NucleusSampler sampler = new NucleusSampler(LOGITS.length, temperature, topP);
    int[] counts = new int[LOGITS.length];
    for (int i = 0; i < POINTS; i++) {
      counts[sampler.choose(LOGITS, (i + .5) / POINTS)]++;
    }
    for (int id = 0; id < counts.length; id++) {
      assertThat(counts[id] / (double) POINTS)
          .as("token %d", id)
          .isCloseTo(expected[id], within(ONE_POINT));
    }
  }

  @Test
  void agreesWithSortingAllTokens() {
    SplittableRandom random = new SplittableRandom(11);
    for (int round = 0; round < 200; round++) {
      int vocab = 1 + random.nextInt(300);
      float[] logits = new float[vocab];
      for (int id = 0; id < vocab; id++) {
        logits[id] = random.nextInt(12) * .5f; // many equals
      }
      double topP = random.nextDouble(.01, 1);
      double temperature = random.nextDouble(.1, 3);
      double uniform = random.nextDouble();
      assertThat(new NucleusSampler(vocab, temperature, topP).choose(logits, uniform))
          .as("round %d", round)
          .isEqualTo(bySorting(logits, temperature, topP, uniform));
    }
  }

  private static int bySorting(float[] logits, double temperature, double topP, double uniform) {
    double largest = IntStream.range(0, logits.length).mapToDouble(i -> logits[i]).max().orElse(0);
    double[] weights =
        IntStream.range(0, logits.length)
            .mapToDouble(i -> Math.exp((logits[i] - largest) / temperature))
            .toArray();
    double total = IntStream.range(0, weights.length).mapToDouble(i -> weights[i]).sum();
    List<Integer> order =
        IntStream.range(0, weights.length)
            .boxed()
            .sorted(Comparator.<Integer>comparingDouble(i -> -weights[i]).thenComparing(i -> i))
            .toList();
    int size = 0;
    double nucleus = 0;
    while (size < order.size() && nucleus < topP * total) {
      nucleus += weights[order.get(size++)];
    }
    double sum = 0;
    for (int i = 0; i < size; i++) {
      sum += weights[order.get(i)];
      if (uniform * nucleus < sum) {
        return order.get(i);
      }
    }
    return order.get(size - 1);
  }

  @Test
  void ignoresLogitsBeyondTheTokenizersIds() {
    NucleusSampler sampler = new NucleusSampler(2, 1, 1);
    assertThat(sampler.choose(new float[] {0, 0, Float.NaN, 100}, .99)).isEqualTo(1);
  }

  @ParameterizedTest
  @ValueSource(floats = {Float.NaN, Float.POSITIVE_INFINITY, Float.NEGATIVE_INFINITY})
  void refusesWhatIsNotFinite(float bad) {
    NucleusSampler sampler = new NucleusSampler(3, 1, 1);
    assertThatThrownBy(() -> sampler.choose(new float[] {0, bad, 0}, .5))
        .isInstanceOfSatisfying(
            MoeException.class, e -> assertThat(e.kind()).isEqualTo(ErrorKind.DATA))
        .hasMessageContaining("token 1 is " + bad);
  }

  @Test
  void refusesATemperatureOrTopPThatMeansNothing() {
    for (double bad : new double[] {0, -1, 101, Double.NaN, Double.POSITIVE_INFINITY}) {
      assertThatThrownBy(() -> new Sampling.Nucleus(bad, 1, 0))
          .isInstanceOf(MoeException.class)
          .hasMessageStartingWith("temperature " + bad);
    }
    for (double bad : new double[] {0, -.1, 1.01, Double.NaN}) {
      assertThatThrownBy(() -> new Sampling.Nucleus(1, bad, 0))
          .isInstanceOf(MoeException.class)
          .hasMessageStartingWith("top-p " + bad);
    }
  }
}
