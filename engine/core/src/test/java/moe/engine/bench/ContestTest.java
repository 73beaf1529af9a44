package moe.engine.bench;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.ArrayList;
import java.util.List;
import moe.spi.device.DeviceStream;
import org.junit.jupiter.api.Test;

final class ContestTest {
  @Test
  void staysWithTheEntrantsInTurn() {
    StringBuilder order = new StringBuilder();
    List<Samples> samples = List.of(new Samples(), new Samples());
    List<Contest.Entrant> entrants = new ArrayList<>();
    ManualClock clock = new ManualClock();
    for (String name : List.of("a", "b")) {
      entrants.add(
          new Contest.Entrant() {
            @Override
            public void prepare(DeviceStream stream) {
              clock.nanos += 1_000;
            }

            @Override
            public void run(DeviceStream stream) {
              order.append(name);
              clock.nanos += name.equals("a") ? 5 : 7;
              pause();
            }
          });
    }
    new Contest(
            clock,
            () -> {
              order.append('|');
              return 2e9;
            },
            0.2)
        .run(entrants, samples, Progress.SILENT);
    // After the warm-up each round is a slice of a, then a slice of b.
    String timed = order.substring(order.indexOf("|"));
    assertThat(timed).matches("(\\|a+\\|b+\\|){3,}");
    assertThat(samples.get(0).percentileMillis(50)).isEqualTo(5e-6);
    assertThat(samples.get(1).percentileMillis(50)).isEqualTo(7e-6);
    // 5 and 7 nanoseconds at two operations a nanosecond.
    assertThat(samples.get(0).possibleFlops()).isCloseTo(10, within(1e-9));
    assertThat(samples.get(1).possibleFlops()).isCloseTo(14, within(1e-9));
  }

  private static void pause() {
    try {
      Thread.sleep(10);
    } catch (InterruptedException e) {
      throw new AssertionError(e);
    }
  }
}
