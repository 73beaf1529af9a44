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

  @Test
  void splitsOneStepInSixteenWhereReadingTheTimeWaits() {
    var reads = new AtomicLong();
    var clock = PhaseClock.sampling(reads::incrementAndGet, () -> 0);
    for (int step = 0; step < 33; step++) {
      long before = reads.get();
      boolean split = step % 16 == 0;
      assertThat(clock.splitsNext()).isEqualTo(split);
      clock.start();
      clock.lap(Phase.HEAD);
      clock.skip();
      clock.lap(Phase.OPTIMIZER);
      assertThat(clock.stop(1).phaseMillis()).hasSize(split ? 2 : 0);
      assertThat(reads.get() - before).isEqualTo(split ? 5 : 0);
    }
  }

  /// Steps whose beginnings overlap: each lasts from the end of the one before it to its own.
  @Test
  void countsAStepThatStartedEarlyFromTheStopOfTheOneBefore() {
    var now = new AtomicLong();
    var clock = PhaseClock.sampling(now::get, now::get);
    clock.start();
    clock.stop(1); // the split one
    now.set(10_000_000);
    clock.start();
    now.set(11_000_000);
    clock.start();
    now.set(15_000_000);
    assertThat(clock.stop(1).totalMillis()).isEqualTo(5);
    now.set(16_000_000);
    clock.start();
    now.set(22_000_000);
    assertThat(clock.stop(1).totalMillis()).isEqualTo(7);
    now.set(23_000_000);
    assertThat(clock.stop(1).totalMillis()).isEqualTo(1);
    now.set(40_000_000); // something else
    clock.start();
    now.set(42_000_000);
    assertThat(clock.stop(1).totalMillis()).isEqualTo(2);
  }

  @Test
  void startsADroppedStepAnew() {
    var now = new AtomicLong();
    var clock = PhaseClock.sampling(now::get, now::get);
    for (int step = 0; step < 15; step++) {
      clock.start();
      clock.stop(1);
    }
    clock.start();
    assertThat(clock.splitsNext()).isTrue();
    clock.stop(1);
    clock.start();
    clock.drop();
    assertThat(clock.splitsNext()).isTrue();
    clock.lap(Phase.HEAD); // outside of a step
    now.set(3_000_000);
    clock.start();
    now.set(5_000_000);
    assertThat(clock.stop(1).totalMillis()).isEqualTo(2);
  }
}
