package moe.engine.metrics;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.Map;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

final class PhaseClockTest {
  @Test
  void addsUpTheLapsOfAPhase() {
    var now = new AtomicLong(1_000_000_000);
    var clock = new PhaseClock(now::get);
    clock.lap(Phase.HEAD); // forgotten by the start
    clock.start();
    for (int layer = 0; layer < 2; layer++) {
      now.addAndGet(3_000_000);
      clock.lap(Phase.ATTENTION);
      now.addAndGet(1_000_000);
      clock.skip();
      now.addAndGet(5_000_000);
      clock.lap(Phase.EXPERTS);
    }
    StepTimes times = clock.stop(128);
    assertThat(times.phaseMillis()).isEqualTo(Map.of(Phase.ATTENTION, 6.0, Phase.EXPERTS, 10.0));
    assertThat(times.totalMillis()).isEqualTo(18);
    assertThat(times.otherMillis()).isEqualTo(2);
    // One division, one multiplication.
    assertThat(times.tokensPerSecond()).isCloseTo(128 / 0.018, within(1e-9));
  }
}
