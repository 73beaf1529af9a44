package moe.backend.opencl.stage;

import static moe.backend.opencl.Workplace.ids;
import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import moe.backend.opencl.Devices;
import moe.backend.opencl.OpenClTensor;
import moe.backend.opencl.Workplace;
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
  void leavesOutAnIdThatIsNoExpert() {
    Plan plan = plan(4, 1, 3, 1, 3, -2, 1);
    assertThat(plan.offsets).containsExactly(0, 0, 2, 2);
    assertThat(plan.assignments.subList(0, 2)).containsExactly(0, 3);
    assertThat(plan.positions).containsExactly(0, -1, -1, 1);
  }

  @Test
  void keepsTheOrderOfSlotsAcrossChunks() {
    int[] ids = new Random(3).ints(1000, -1, 5).toArray();
    Plan plan = plan(500, 2, 5, ids);
    List<Integer> expected =
        IntStream.range(0, 5)
            .flatMap(e -> IntStream.range(0, ids.length).filter(slot -> ids[slot] == e))
            .boxed()
            .toList();
    assertThat(plan.assignments.subList(0, expected.size())).isEqualTo(expected);
    assertThat(plan.offsets.getLast()).isEqualTo(expected.size());
    for (int slot = 0; slot < ids.length; slot++) {
      assertThat(plan.positions.get(slot)).isEqualTo(expected.indexOf(slot));
    }
  }

  @Test
  void copiesNothing() {
    try (Workplace at = new Workplace(Devices.PROCESSOR);
        Block block = new Block(at, BlockSpecs.training(1, 4, 4, 1, 1), 1)) {
      assertThat(block.dispatcher.copiesRows()).isFalse();
      assertThat(block.executor.needsRows()).isFalse();
    }
  }

  private record Plan(List<Integer> offsets, List<Integer> assignments, List<Integer> positions) {}

  private static Plan plan(int tokens, int topK, int experts, int... expertIds) {
    LayerSpec spec = BlockSpecs.training(tokens, 4, 4, experts, topK);
    try (Workplace at = new Workplace(Devices.PROCESSOR);
        Block block = new Block(at, spec, tokens)) {
      OpenClTensor ids = at.ints(expertIds);
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
