package moe.engine.energy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

final class StepModelTest {
  private static final double IDLE = 90; // W
  private static final double A = 60e-12; // J per byte
  private static final double B = 1.5e-12; // J per operation

  @Test
  void recoversKnownPricesUnderTenPercentNoise() {
    for (long seed = 1; seed <= 5; seed++) {
      StepModel model = StepModel.fit(samples(2000, 0.1, seed)).orElseThrow();
      assertThat(model.joulesPerByte()).isCloseTo(A, within(0.05 * A));
      assertThat(model.joulesPerFlop()).isCloseTo(B, within(0.05 * B));
      assertThat(model.rSquared()).isBetween(0.8, 0.99);
    }
  }

  @Test
  void isExactWithoutNoise() {
    StepModel model = StepModel.fit(samples(20, 0, 7)).orElseThrow();
    assertThat(model.idleWatts()).isCloseTo(IDLE, within(1e-6 * IDLE));
    assertThat(model.joulesPerByte()).isCloseTo(A, within(1e-6 * A));
    assertThat(model.rSquared()).isCloseTo(1, within(1e-9));
    assertThat(model.joules(2, new StepWork(1e12, 1e13)))
        .isCloseTo(2 * IDLE + A * 1e12 + B * 1e13, within(1e-3));
  }

  @Test
  void neverFindsANegativePrice() {
    List<StepModel.Sample> samples = new ArrayList<>();
    for (int i = 1; i <= 10; i++) { // the more is read, the fewer joules
      samples.add(new StepModel.Sample(1, new StepWork(i, 1), 20 - i));
    }
    StepModel model = StepModel.fit(samples).orElseThrow();
    assertThat(model.joulesPerByte()).isZero();
    assertThat(model.joulesPerFlop()).isNotNegative();
    assertThat(model.idleWatts()).isNotNegative();
  }

  @Test
  void saysNothingOfEqualOrTooFewWindows() {
    assertThat(StepModel.fit(samples(2, 0, 1))).isEmpty();
    List<StepModel.Sample> equal = new ArrayList<>();
    for (int i = 0; i < 5; i++) {
      equal.add(new StepModel.Sample(1, new StepWork(2, 3), 4));
    }
    StepModel model = StepModel.fit(equal).orElseThrow();
    assertThat(model.joules(1, new StepWork(2, 3))).isCloseTo(4, within(1e-9));
  }

  /// Windows in which time, reading and computing vary by themselves, each worth about a third.
  private static List<StepModel.Sample> samples(int n, double noise, long seed) {
    Random random = new Random(seed);
    List<StepModel.Sample> samples = new ArrayList<>();
    for (int i = 0; i < n; i++) {
      double seconds = 0.2 + 2 * random.nextDouble();
      StepWork work =
          new StepWork(
              1e12 * (0.1 + 3 * random.nextDouble()), 5e13 * (0.1 + 2 * random.nextDouble()));
      double joules = IDLE * seconds + A * work.bytes() + B * work.flops();
      samples.add(
          new StepModel.Sample(seconds, work, joules * (1 + noise * random.nextGaussian())));
    }
    return samples;
  }
}
