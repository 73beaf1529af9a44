package moe.backend.tests;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import moe.spi.device.Tensor;
import moe.spi.stage.Dispatched;
import moe.spi.stage.LayerSpec;
import moe.spi.stage.Routing;
import org.junit.jupiter.api.Test;

/// The plan of the `sorted` dispatcher.
public abstract class SortedDispatcherContract implements Place {
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
    try (Workplace at = open(Way.MAIN);
        Block block = new Block(at, BlockSpecs.training(1, 4, 4, 1, 1), 1)) {
      assertThat(block.dispatcher.copiesRows()).isFalse();
      assertThat(block.executor.needsRows()).isFalse();
    }
  }

  protected record Plan(
      List<Integer> offsets, List<Integer> assignments, List<Integer> positions) {}

  protected final Plan plan(int tokens, int topK, int experts, int... expertIds) {
    LayerSpec spec = BlockSpecs.training(tokens, 4, 4, experts, topK);
    try (Workplace at = open(Way.MAIN);
        Block block = new Block(at, spec, tokens)) {
      Tensor ids = at.ints(expertIds);
      Dispatched out = block.dispatched;
      block.dispatcher.dispatch(
          block.tokens, new Routing(ids, at.zeros(tokens, topK)), out, at.stream);
      return new Plan(
          list(at, out.offsets()), list(at, out.assignments()), list(at, out.positions()));
    }
  }

  private static List<Integer> list(Workplace at, Tensor tensor) {
    return Arrays.stream(at.ids(tensor)).boxed().toList();
  }
}
