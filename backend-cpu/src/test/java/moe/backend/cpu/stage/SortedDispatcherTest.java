package moe.backend.cpu.stage;

import static org.assertj.core.api.Assertions.assertThatThrownBy;

import moe.backend.cpu.CpuPlace;
import moe.backend.tests.SortedDispatcherContract;
import org.junit.jupiter.api.Test;

/// The plan of the `sorted` dispatcher.
class SortedDispatcherTest extends SortedDispatcherContract implements CpuPlace {
  @Test
  void namesAnIdThatIsNoExpert() {
    assertThatThrownBy(() -> plan(2, 1, 3, 1, 3))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("sorted dispatch: expertIds[1] is 3, must be at least -1 and below 3");
    assertThatThrownBy(() -> plan(2, 1, 3, -2, 0))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("sorted dispatch: expertIds[0] is -2, must be at least -1 and below 3");
  }
}
