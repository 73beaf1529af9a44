package moe.backend.opencl.stage;

import static org.assertj.core.api.Assertions.assertThat;

import moe.backend.opencl.OpenClPlace;
import moe.backend.tests.SortedDispatcherContract;
import org.junit.jupiter.api.Test;

/// The plan of the `sorted` dispatcher.
class SortedDispatcherTest extends SortedDispatcherContract implements OpenClPlace {
  @Test
  void leavesOutAnIdThatIsNoExpert() {
    Plan plan = plan(4, 1, 3, 1, 3, -2, 1);
    assertThat(plan.offsets()).containsExactly(0, 0, 2, 2);
    assertThat(plan.assignments().subList(0, 2)).containsExactly(0, 3);
    assertThat(plan.positions()).containsExactly(0, -1, -1, 1);
  }
}
