package moe.engine.metrics;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import com.sun.management.ThreadMXBean;
import java.lang.foreign.MemorySegment;
import java.lang.management.ManagementFactory;
import org.junit.jupiter.api.Test;

final class RoutingMetricsTest {
  // Rounding of a few double operations.
  private static final double ROUNDING = 1e-15;

  @Test
  void countsFirstChoicesAndLoadByHand() {
    var metrics = new RoutingMetrics(2, 4, 2);
    metrics.add(1, new int[] {0, 1, 0, 3, 2, 0}, 3);
    LayerRouting layer = metrics.layers().get(1);
    assertThat(layer.load()).isEqualTo(ExpertLoad.of(3, 1, 1, 1));
    assertThat(layer.top1Share()).isEqualTo(2 / 4.0); // experts 0 and 2 of 4
    assertThat(layer.maxOverMean()).isEqualTo(3 / (6 / 4.0));
    double entropy = -(0.5 * Math.log(0.5) + 3 * (1 / 6.0) * Math.log(1 / 6.0)) / Math.log(4);
    assertThat(layer.entropy()).isCloseTo(entropy, within(ROUNDING));
    assertThat(metrics.layers().get(0).load().total()).isZero();
  }

  @Test
  void readsIdsAsADeviceLeavesThem() {
    var array = new RoutingMetrics(1, 3, 1);
    var memory = new RoutingMetrics(1, 3, 1);
    int[] ids = {2, 2, 0};
    array.add(0, ids, 3);
    memory.add(0, MemorySegment.ofArray(ids), 3);
    assertThat(memory.layers()).isEqualTo(array.layers());
  }

  @Test
  void leavesUnusedSlotsOut() {
    var metrics = new RoutingMetrics(1, 3, 2);
    metrics.add(0, new int[] {1, -1, -1, -1}, 2);
    assertThat(metrics.layers().getFirst()).isEqualTo(LayerRouting.of(1, ExpertLoad.of(0, 1, 0)));
  }

  @Test
  void addsThePartsOfAnAccumulatedBatch() {
    var metrics = new RoutingMetrics(1, 2, 1);
    metrics.add(0, new int[] {0}, 1);
    metrics.add(0, new int[] {1}, 1);
    assertThat(metrics.layers().getFirst().top1Share()).isEqualTo(1);
    metrics.clear();
    assertThat(metrics.layers().getFirst().load().total()).isZero();
  }

  @Test
  void evenLoadHasEntropyOneAndCollapseZero() {
    assertThat(ExpertLoad.of(5, 5, 5).entropy()).isCloseTo(1, within(ROUNDING));
    assertThat(ExpertLoad.of(5, 5, 5).maxOverMean()).isEqualTo(1);
    assertThat(ExpertLoad.of(0, 9, 0).entropy()).isZero();
    assertThat(ExpertLoad.of(0, 9, 0).maxOverMean()).isEqualTo(3);
    assertThat(ExpertLoad.of(9).entropy()).isEqualTo(1);
    assertThat(ExpertLoad.of(0, 0).entropy()).isZero();
    assertThat(ExpertLoad.of(0, 0).maxOverMean()).isZero();
  }

  @Test
  void refusesAnIdThatIsNoExpert() {
    var metrics = new RoutingMetrics(1, 2, 1);
    assertThatThrownBy(() -> metrics.add(0, new int[] {0, 2}, 2))
        .hasMessage("layer 0, token 1: expert 2 is none of 0 to 1");
    assertThatThrownBy(() -> metrics.add(0, new int[] {-2}, 1)).hasMessageContaining("expert -2");
  }

  @Test
  void allocatesNothingWhenCounting() {
    var metrics = new RoutingMetrics(1, 8, 2);
    int[] ids = new int[2048];
    MemorySegment segment = MemorySegment.ofArray(ids);
    var threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
    long least = Long.MAX_VALUE;
    for (int i = 0; i < 50; i++) { // warm-up and measurement in one: the compiler allocates too
      long before = threads.getCurrentThreadAllocatedBytes();
      for (int repeat = 0; repeat < 20; repeat++) {
        metrics.clear();
        metrics.add(0, ids, 1024);
        metrics.add(0, segment, 1024);
      }
      least = Math.min(least, threads.getCurrentThreadAllocatedBytes() - before);
    }
    assertThat(least).isZero();
  }
}
