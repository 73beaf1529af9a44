package moe.backend.cpu.kernel;

import static moe.backend.cpu.kernel.LinearCase.place;
import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

final class SharedArraysTest {
  private final SharedArrays arrays = new SharedArrays();

  @Test
  void lendsAgainWhatWasGivenBack() {
    Floats first = arrays.borrow(10);
    arrays.giveBack(first);
    assertThat(arrays.borrow(7)).isSameAs(first);
  }

  @Test
  void lendsTwoBorrowersDifferentArrays() {
    Floats first = arrays.borrow(10);
    assertThat(arrays.borrow(10).array()).isNotSameAs(first.array());
  }

  @Test
  void replacesAnArrayThatIsTooShort() {
    Floats small = arrays.borrow(10);
    arrays.giveBack(small);
    Floats large = arrays.borrow(11);
    assertThat(large.array().length).isGreaterThanOrEqualTo(11);
    arrays.giveBack(large);
    Floats again = arrays.borrow(3);
    assertThat(again).isSameAs(large);
    assertThat(arrays.borrow(3)).as("the short one is not kept").isNotSameAs(small);
  }

  @Test
  void aSecondLayerTakesNoMemoryOfItsOwnForPackedRows() {
    LinearCase layer = new LinearCase(8, 512, 300);
    long packed = 300L * 512 * Float.BYTES;
    try (CpuThreads threads = new CpuThreads(2)) {
      AllocatedBytes allocated = new AllocatedBytes();
      assertThat(allocated.during(1, () -> run(threads, layer))).isGreaterThan(packed);
      assertThat(allocated.during(1, () -> run(threads, layer))).isLessThan(packed / 4);
    }
  }

  private static void run(CpuThreads threads, LinearCase layer) {
    new GroupedForward(threads, InnerLoops.scalar())
        .weights(place(layer.weights), 1, layer.out, layer.in)
        .input(place(layer.x), layer.inStride)
        .output(place(new float[layer.rows * layer.outStride]), layer.outStride)
        .run(layer.rows);
  }
}
