package moe.engine.report;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.Map;
import moe.engine.metrics.ExpertLoad;
import moe.engine.metrics.LayerRouting;
import moe.engine.metrics.Losses;
import moe.engine.metrics.Meters;
import moe.engine.metrics.StepMetrics;
import moe.engine.metrics.StepTimes;
import moe.engine.metrics.Update;
import org.junit.jupiter.api.Test;

final class LoadMapTest {
  private static StepMetrics step(int number, int... load) {
    return new StepMetrics(
        number,
        1,
        Losses.of(1),
        new StepTimes(1, 1, Map.of()),
        Update.NONE,
        load.length == 0 ? List.of() : List.of(LayerRouting.of(1, ExpertLoad.of(load))),
        Meters.NONE);
  }

  @Test
  void showsLoadOverTheFairShare() {
    var map = new LoadMap();
    map.add(step(1, 3, 1));
    map.add(step(2, 1, 3));
    map.add(step(3, 8, 0));
    LoadMap.Shares shares = map.shares();
    assertThat(shares.total()).containsExactly(List.of(1.5, 0.5)); // 12 and 4 of 16
    assertThat(shares.overTime())
        .containsExactly(List.of(List.of(1.5, 0.5), List.of(0.5, 1.5), List.of(2.0, 0.0)));
    assertThat(shares.binEnds()).containsExactly(1, 2, 3);
  }

  @Test
  void mergesTimeButLosesNoAssignment() {
    var map = new LoadMap();
    for (int step = 1; step <= 1000; step++) {
      map.add(step(step, step <= 500 ? 4 : 0, step <= 500 ? 0 : 4));
    }
    LoadMap.Shares shares = map.shares();
    assertThat(shares.total()).containsExactly(List.of(1.0, 1.0));
    assertThat(shares.binEnds()).hasSizeLessThanOrEqualTo(48).endsWith(1000);
    assertThat(shares.overTime().getFirst().getFirst()).containsExactly(2.0, 0.0);
    assertThat(shares.overTime().getFirst().getLast()).containsExactly(0.0, 2.0);
  }

  @Test
  void aDenseModelHasNone() {
    var map = new LoadMap();
    map.add(step(1));
    assertThat(map.isEmpty()).isTrue();
  }
}
