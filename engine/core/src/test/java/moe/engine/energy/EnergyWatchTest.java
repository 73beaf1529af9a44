package moe.engine.energy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import moe.engine.metrics.EnergySummary;
import moe.engine.metrics.EnergyWindow;
import moe.engine.metrics.ExpertLoad;
import moe.engine.metrics.LayerRouting;
import moe.engine.metrics.Losses;
import moe.engine.metrics.Meters;
import moe.engine.metrics.StepMetrics;
import moe.engine.metrics.StepTimes;
import moe.engine.metrics.Update;
import moe.spi.device.Activation;
import moe.spi.device.DType;
import moe.spi.stage.LayerSpec;
import org.junit.jupiter.api.Test;

final class EnergyWatchTest {
  private static final LayerSpec SPEC =
      new LayerSpec(4, 8, 16, 4, 1, Activation.GELU, false, true, DType.F32, false);

  private final FakeMeter meter = new FakeMeter();
  private final List<String> warnings = new ArrayList<>();
  private long nanos;
  private int steps;
  private final EnergyWatch watch =
      new EnergyWatch(new EnergyMeters.Open(meter), SPEC, 1, warnings::add, () -> nanos);

  @Test
  void measuresWindowsNetOfIdlePower() {
    watch.measureIdle(() -> pass(2, 100)); // 50 W
    watch.begin();
    List<EnergyWindow> windows = new ArrayList<>();
    for (int i = 0; i < 8; i++) {
      step(0.5, 100 + 20 * (i / 2)).ifPresent(windows::add);
    }
    assertThat(windows)
        .extracting(EnergyWindow::joules)
        .containsExactly(200.0, 240.0, 280.0, 320.0);
    assertThat(windows).extracting(EnergyWindow::step).containsExactly(2, 4, 6, 8);
    EnergySummary energy = watch.summary().orElseThrow();
    assertThat(energy.idleWatts()).hasValue(50);
    assertThat(energy.averageWatts()).isEqualTo(260);
    assertThat(energy.peakWatts()).isEqualTo(320);
    assertThat(energy.joulesPerToken()).isCloseTo(32.5, within(1e-9)); // 8 tokens a window
    // Deviation of 25, 30, 35 and 40.
    assertThat(energy.deviation().orElseThrow()).isCloseTo(6.454972243679028, within(1e-9));
    assertThat(energy.netJoulesPerToken().orElseThrow()).isCloseTo(26.25, within(1e-9));
    assertThat(energy.tokensPerSecondPerWatt()).isCloseTo(8.0 / 260, within(1e-12));
    assertThat(energy.energyDelay()).isCloseTo(32.5 / 8, within(1e-9));
    assertThat(warnings).isEmpty();
  }

  @Test
  void leavesOutWindowsInWhichOtherThingsWereDone() {
    watch.begin();
    pass(0.9, 500); // a look at the held-out text
    assertThat(step(0.5, 100)).isEmpty();
    assertThat(step(1, 100)).isPresent();
  }

  @Test
  void warnsOfACounterThatWentBackAndGoesOn() {
    watch.begin();
    assertThat(step(1, 100)).isPresent();
    assertThat(step(1, -80)).isEmpty();
    assertThat(warnings).singleElement().asString().contains("went back by 80.000 J");
    assertThat(step(1, 100)).isPresent();
  }

  @Test
  void hasNoValueFromACounterThatStandsStill() {
    watch.begin();
    assertThat(step(1, 0)).isEmpty();
    assertThat(step(1, 0)).isEmpty();
    assertThat(watch.watts()).isEmpty();
    assertThat(watch.summary()).isEmpty();
    assertThat(warnings).singleElement().asString().contains("stands still");
  }

  @Test
  void hasNoValueFromTheMomentAMeterDies() {
    watch.begin();
    assertThat(step(1, 100)).isPresent();
    meter.dead = true;
    assertThat(step(1, 100)).isEmpty();
    assertThat(step(1, 100)).isEmpty();
    assertThat(watch.watts()).isEmpty();
    assertThat(warnings).singleElement().asString().contains("it fell off the bus");
    assertThat(watch.summary().orElseThrow().windows()).isEqualTo(1);
  }

  @Test
  void saysOfAnEstimateThatItIsOne() {
    EnergyWatch estimated =
        new EnergyWatch(
            new EnergyMeters.Estimated(new EstimatedMeter(100, 1e9, 1e12)),
            SPEC,
            1,
            warnings::add,
            () -> nanos);
    estimated.measureIdle(() -> pass(1, 0));
    estimated.begin();
    nanos += 1_000_000;
    EnergyWindow window = estimated.step(metrics(0.001)).orElseThrow();
    // Two experts of 2·16·8 floats read at 1 GB/s and 100 W; computing takes less.
    assertThat(window.joules()).isCloseTo(100 * 2 * 1024 / 1e9, within(1e-12));
    EnergySummary summary = estimated.summary().orElseThrow();
    assertThat(summary.estimated()).isTrue();
    assertThat(summary.method()).startsWith("estimated, not measured");
    assertThat(summary.idleWatts()).isEmpty();
    assertThat(estimated.prices()).isEmpty();
  }

  private void pass(double seconds, double joules) {
    nanos += Math.round(seconds * 1e9);
    meter.joules += joules;
  }

  private Optional<EnergyWindow> step(double seconds, double joules) {
    pass(seconds, joules);
    return watch.step(metrics(seconds));
  }

  private StepMetrics metrics(double seconds) {
    return new StepMetrics(
        ++steps,
        1,
        Losses.of(1),
        new StepTimes(4, seconds * 1e3, Map.of()),
        new Update(OptionalDouble.empty(), OptionalDouble.empty()),
        List.of(LayerRouting.of(2, ExpertLoad.of(3, 1, 0, 0))),
        Meters.NONE);
  }
}
