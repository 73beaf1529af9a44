package moe.engine.report;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

final class LatenciesTest {
  private static Latencies of(double... millis) {
    var latencies = new Latencies();
    for (double each : millis) {
      latencies.add(each);
    }
    return latencies;
  }

  @Test
  void percentilesAreNearestRank() {
    Latencies latencies = of(5, 1, 4, 2, 3);
    assertThat(latencies.percentile(50)).isEqualTo(3);
    assertThat(latencies.percentile(95)).isEqualTo(5);
    assertThat(latencies.percentile(0)).isEqualTo(1);
    assertThat(of().percentile(50)).isNaN();
  }

  @Test
  void everyStepIsInABin() {
    var latencies = new Latencies();
    for (int i = 0; i < 5000; i++) {
      latencies.add(100 + i % 50 + (i == 4999 ? 10_000 : 0));
    }
    Latencies.Histogram histogram = latencies.histogram();
    assertThat(histogram.counts().stream().mapToInt(count -> count).sum()).isEqualTo(5000);
    assertThat(histogram.counts()).hasSizeBetween(20, 60);
    assertThat(histogram.from()).isEqualTo(100);
    assertThat(histogram.width()).isEqualTo(2);
    assertThat(histogram.counts().getFirst()).isEqualTo(200); // 100 and 101
    assertThat(histogram.slowest()).isEqualTo(10_149);
  }

  @Test
  void equalTimesMakeOneBin() {
    assertThat(of(7, 7, 7).histogram().counts()).containsExactly(3);
    assertThat(of(0).histogram().counts()).containsExactly(1);
    assertThat(of(1e-6, 1e9).histogram().counts().stream().mapToInt(n -> n).sum()).isEqualTo(2);
  }
}
