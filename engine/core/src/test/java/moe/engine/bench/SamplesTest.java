package moe.engine.bench;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;

final class SamplesTest {
  @Test
  void ranksUnsortedDurations() {
    Samples samples = new Samples();
    for (int i = 100; i >= 1; i--) {
      samples.add(i * 1_000_000L);
    }
    assertThat(samples.count()).isEqualTo(100);
    assertThat(samples.percentileMillis(50)).isEqualTo(50);
    assertThat(samples.percentileMillis(5)).isEqualTo(5);
    assertThat(samples.percentileMillis(95)).isEqualTo(95);
    assertThat(samples.percentileMillis(100)).isEqualTo(100);
    assertThat(samples.percentileMillis(0)).isEqualTo(1);
  }

  @Test
  void hasNoMedianOfNothing() {
    assertThatThrownBy(() -> new Samples().percentileMillis(50))
        .isInstanceOf(IllegalStateException.class);
  }
}
