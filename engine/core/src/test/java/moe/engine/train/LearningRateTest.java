package moe.engine.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import org.junit.jupiter.api.Test;

final class LearningRateTest {
  private static final double EXACT = 1e-15;

  @Test
  void risesInALineAndFallsAlongHalfACosine() {
    LearningRate rate = new LearningRate(3e-4, 50, 0.1, 500);
    assertThat(rate.at(1)).isEqualTo(3e-4 / 50, within(EXACT));
    assertThat(rate.at(25)).isEqualTo(1.5e-4, within(EXACT));
    assertThat(rate.at(50)).isEqualTo(3e-4, within(EXACT));
    // Half way between 3e-4 and its tenth; a quarter of the way the cosine is at √½.
    assertThat(rate.at(275)).isEqualTo(1.65e-4, within(EXACT));
    assertThat(rate.at(50 + 450 / 4 + 1))
        .isEqualTo(3e-5 + 2.7e-4 * 0.5 * (1 + Math.cos(Math.PI * 113 / 450)), within(EXACT));
    assertThat(rate.at(500)).isEqualTo(3e-5, within(EXACT));
  }

  @Test
  void staysAtItsEndBehindTheLastStep() {
    assertThat(new LearningRate(1, 2, 0.1, 10).at(11)).isEqualTo(0.1, within(EXACT));
  }

  @Test
  void beginsAtThePeakWithoutWarmUp() {
    LearningRate rate = new LearningRate(1, 0, 0, 10);
    assertThat(rate.at(1)).isBetween(0.97, 1.0);
    assertThat(rate.at(10)).isEqualTo(0, within(EXACT));
  }

  @Test
  void neverEndsTheWarmUpOfAShorterRun() {
    assertThat(new LearningRate(1, 50, 0.1, 20).at(20)).isEqualTo(0.4, within(EXACT));
  }
}
