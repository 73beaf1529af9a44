package moe.engine.report;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.List;
import java.util.Map;
import java.util.OptionalDouble;
import moe.engine.metrics.Losses;
import moe.engine.metrics.Meters;
import moe.engine.metrics.StepMetrics;
import moe.engine.metrics.StepTimes;
import moe.engine.metrics.Update;
import org.junit.jupiter.api.Test;

final class ThinnedSeriesTest {
  private static StepMetrics step(int number, double loss) {
    return new StepMetrics(
        number,
        1,
        new Losses(
            loss,
            number % 2 == 0 ? OptionalDouble.of(number) : OptionalDouble.empty(),
            OptionalDouble.empty()),
        new StepTimes(1, 1, Map.of()),
        Update.NONE,
        List.of(),
        Meters.NONE);
  }

  private static ThinnedSeries of(int most, double... losses) {
    var series = new ThinnedSeries(most);
    for (int i = 0; i < losses.length; i++) {
      series.add(step(i + 1, losses[i]));
    }
    return series;
  }

  @Test
  void keepsEveryStepOfAShortRun() {
    ThinnedSeries series = of(4, 1, 2, 3, 4);
    assertThat(series.steps()).containsExactly(1, 2, 3, 4);
    assertThat(series.columns().get("loss")).containsExactly(1.0, 2.0, 3.0, 4.0);
    assertThat(series.columns()).doesNotContainKeys("z", "watts", "diversity");
  }

  @Test
  void mergesNeighboursOfALongRun() {
    ThinnedSeries series = of(4, 1, 2, 3, 4, 5, 6, 7, 8, 9); // strides 2, then 4: 4 + 4 + 1
    assertThat(series.stride()).isEqualTo(4);
    assertThat(series.steps()).containsExactly(4, 8, 9);
    assertThat(series.columns().get("loss")).containsExactly(2.5, 6.5, 9.0);
    assertThat(series.columns().get("lossLow")).containsExactly(1.0, 5.0, 9.0);
    assertThat(series.columns().get("lossHigh")).containsExactly(4.0, 8.0, 9.0);
    // Means over the steps that have a value: 2 and 4, 6 and 8, none.
    assertThat(series.columns().get("balance")).containsExactly(3.0, 7.0, null);
  }

  @Test
  void leavesAGapWhereTheLossIsNoNumber() {
    ThinnedSeries series = of(4, 1, Double.NaN, Double.POSITIVE_INFINITY, 2);
    assertThat(series.columns().get("loss")).containsExactly(1.0, null, null, 2.0);
    assertThat(series.mean("loss", 0, 1).orElseThrow()).isEqualTo(1.5);
  }

  @Test
  void meansOverAPartOfTheRun() {
    ThinnedSeries series = of(8, 1, 2, 3, 4, 5, 6, 7, 8);
    assertThat(series.mean("loss", 0.75, 1).orElseThrow()).isEqualTo(7.5);
    assertThat(series.mean("loss", 0, 0.01).orElseThrow()).isEqualTo(1);
    assertThat(series.mean("watts", 0, 1)).isEmpty();
    assertThat(new ThinnedSeries(8).mean("loss", 0.75, 1)).isEmpty();
  }

  @Test
  void staysWithinItsBoundOverManySteps() {
    var series = new ThinnedSeries(800);
    for (int i = 1; i <= 100_000; i++) {
      series.add(step(i, i));
    }
    assertThat(series.steps()).hasSizeBetween(400, 800).isSorted().endsWith(100_000);
    // 128 steps a point; six digits are kept.
    assertThat(series.columns().getOrDefault("loss", List.of()).get(10))
        .isCloseTo(10 * 128 + 64.5, within(1e-2));
  }
}
