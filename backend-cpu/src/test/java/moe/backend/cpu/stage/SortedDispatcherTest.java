package moe.backend.cpu.stage;

import static moe.backend.cpu.Workplace.ids;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Arrays;
import java.util.List;
import moe.backend.cpu.CpuTensor;
import moe.backend.cpu.Loops;
import moe.backend.cpu.Workplace;
import moe.spi.device.Tensor;
import moe.spi.stage.Dispatched;
import moe.spi.stage.LayerSpec;
import moe.spi.stage.Routing;
import org.junit.jupiter.api.Test;

/// The plan of the `sorted` dispatcher.
class SortedDispatcherTest {
  @Test
  void plansTheExampleOfTheSpi() {
    Plan plan = plan(3, 2, 3, 2, 0, 0, 1, 2, 1);
    assertThat(plan.offsets).containsExactly(0, 2, 4, 6);
    assertThat(plan.assignments).containsExactly(1, 2, 3, 5, 0, 4);
    assertThat(plan.positions).containsExactly(4, 0, 1, 2, 5, 3);
  }

  @Test
  void leavesOutUnusedSlotsAndEmptyExperts() {
    Plan plan = plan(3, 2, 4, 3, -1, -1, -1, 1, 3);
    assertThat(plan.offsets).containsExactly(0, 0, 1, 1, 3);
    assertThat(plan.assignments.subList(0, 3)).containsExactly(4, 0, 5);
    assertThat(plan.positions).containsExactly(1, -1, -1, -1, 0, 2);
  }

  @Test
  void plansNoTokensAtAll() {
    Plan plan = plan(0, 2, 3);
    assertThat(plan.offsets).containsExactly(0, 0, 0, 0);
    assertThat(plan.assignments).isEmpty();
  }

  @Test
  void namesAnIdThatIsNoExpert() {
    assertThatThrownBy(() -> plan(2, 1, 3, 1, 3))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("sorted dispatch: expertIds[1] is 3, must be at least -1 and below 3");
    assertThatThrownBy(() -> plan(2, 1, 3, -2, 0))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("sorted dispatch: expertIds[0] is -2, must be at least -1 and below 3");
  }

  @Test
  void copiesNothing() {
    try (Workplace at = new Workplace(Loops.VECTOR);
        Block block = new Block(at, BlockSpecs.training(1, 4, 4, 1, 1), 1)) {
      assertThat(block.dispatcher.copiesRows()).isFalse();
      assertThat(block.executor.needsRows()).isFalse();
    }
  }

  private record Plan(List<Integer> offsets, List<Integer> assignments, List<Integer> positions) {}

  private static Plan plan(int tokens, int topK, int experts, int... expertIds) {
    LayerSpec spec = BlockSpecs.training(tokens, 4, 4, experts, topK);
    try (Workplace at = new Workplace(Loops.VECTOR);
        Block block = new Block(at, spec, tokens)) {
      CpuTensor ids = at.ints(expertIds);
      Dispatched out = block.dispatched;
      block.dispatcher.dispatch(
          block.tokens, new Routing(ids, at.zeros(tokens, topK)), out, at.stream);
      return new Plan(list(out.offsets()), list(out.assignments()), list(out.positions()));
    }
  }

  private static List<Integer> list(Tensor tensor) {
    return Arrays.stream(ids(tensor)).boxed().toList();
  }
}
