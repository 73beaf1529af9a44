package moe.engine.text;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.sun.management.ThreadMXBean;
import java.lang.management.ManagementFactory;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import moe.spi.error.ErrorKind;
import moe.spi.error.MoeException;
import org.junit.jupiter.api.Test;

class BatchesTest {
  private static final TokenSpan HUNDRED =
      TokenSpan.of("a hundred", IntStream.range(0, 100).toArray());

  private static int[] batch(Batches batches, int size, long number) {
    int[] ids = new int[size];
    batches.fill(number, ids);
    return ids;
  }

  private static List<Integer> starts(SpreadWindows batches, int batch, int seqLength) {
    List<Integer> starts = new ArrayList<>();
    for (int number = 0; number < batches.batches(); number++) {
      int[] ids = batch(batches, batch * seqLength, number);
      for (int row = 0; row < batch; row++) {
        int[] window = Arrays.copyOfRange(ids, row * seqLength, (row + 1) * seqLength);
        starts.add(window[0]);
        assertThat(window).isEqualTo(IntStream.range(window[0], window[0] + seqLength).toArray());
      }
    }
    return starts;
  }

  @Test
  void drawsWindowsFromSplittableRandom() {
    Batches batches = Batches.random(HUNDRED, 4, 10, 42);
    SplittableRandom random = new SplittableRandom(42);
    for (int number = 0; number < 50; number++) {
      int[] expected =
          IntStream.range(0, 4)
              .flatMap(row -> {
                int start = (int) Math.unsignedMultiplyHigh(random.nextLong(), 91);
                return IntStream.range(start, start + 10);
              })
              .toArray();
      assertThat(batch(batches, 40, number)).isEqualTo(expected);
    }
  }

  @Test
  void resumesAtAnyBatch() {
    Batches first = Batches.random(HUNDRED, 2, 5, 1);
    int[] later = batch(first, 10, 123_456_789_012L);
    assertThat(batch(Batches.random(HUNDRED, 2, 5, 1), 10, 123_456_789_012L)).isEqualTo(later);
    assertThat(batch(Batches.random(HUNDRED, 2, 5, 2), 10, 123_456_789_012L)).isNotEqualTo(later);
    assertThat(batch(first, 10, 123_456_789_013L)).isNotEqualTo(later);
  }

  @Test
  void drawsEveryPlaceEquallyOften() {
    Batches batches = Batches.random(HUNDRED, 10, 91, 3);
    int[] drawn = new int[10];
    int[] ids = new int[910];
    for (int number = 0; number < 1000; number++) {
      batches.fill(number, ids);
      for (int row = 0; row < 10; row++) {
        drawn[ids[row * 91]]++;
      }
    }
    // 10,000 draws from 10 places: 1000 each, standard deviation 30; five of these.
    assertThat(Arrays.stream(drawn)).allMatch(count -> Math.abs(count - 1000) < 150);
  }

  @Test
  void evaluatesWindowsNextToEachOtherWhereAllAreAsked() {
    SpreadWindows all = Batches.spread(HUNDRED, 5, 10, 1000);
    assertThat(all.batches()).isEqualTo(2);
    assertThat(starts(all, 5, 10)).containsExactly(0, 10, 20, 30, 40, 50, 60, 70, 80, 90);
  }

  @Test
  void evaluatesAllOfTheTextWhereFewAreAsked() {
    SpreadWindows few = Batches.spread(HUNDRED, 4, 10, 1);
    assertThat(few.batches()).isEqualTo(1);
    assertThat(starts(few, 4, 10)).containsExactly(0, 30, 60, 90);
  }

  @Test
  void readsTheFirstOfATextInOrder() {
    SpreadWindows first = Batches.spread(HUNDRED.first(2 * 3 * 10), 3, 10, 2);
    assertThat(starts(first, 3, 10)).containsExactly(0, 10, 20, 30, 40, 50);
    assertThat(HUNDRED.first(Long.MAX_VALUE).length()).isEqualTo(100);
  }

  @Test
  void evaluatesATextShorterThanABatch() {
    TokenSpan eleven = TokenSpan.of("short", IntStream.range(0, 11).toArray());
    SpreadWindows windows = Batches.spread(eleven, 3, 9, 60);
    assertThat(windows.batches()).isEqualTo(1);
    assertThat(starts(windows, 3, 9)).containsExactly(0, 1, 2);
    TokenSpan nine = TokenSpan.of("shortest", IntStream.range(0, 9).toArray());
    assertThat(starts(Batches.spread(nine, 1, 9, 60), 1, 9)).containsExactly(0);
    assertThat(batch(Batches.random(nine, 1, 9, 60), 9, 7)).startsWith(0);
  }

  @Test
  void allocatesNothing() {
    Batches random = Batches.random(HUNDRED, 16, 32, 1);
    Batches spread = Batches.spread(HUNDRED, 2, 10, 5);
    int[] ids = new int[16 * 32];
    ThreadMXBean thread = (ThreadMXBean) ManagementFactory.getThreadMXBean();
    long before = 0;
    for (int number = 0; number < 2000; number++) {
      if (number == 1000) { // the first ones may load classes
        before = thread.getCurrentThreadAllocatedBytes();
      }
      random.fill(number, ids);
      spread.fill(number % 5, ids);
    }
    // A thousand batches; asking twice may cost a few bytes of its own.
    assertThat(thread.getCurrentThreadAllocatedBytes() - before).isBetween(0L, 1000L);
  }

  @Test
  void refusesATextShorterThanASequence() {
    assertThatThrownBy(() -> Batches.random(HUNDRED, 4, 101, 42))
        .isInstanceOfSatisfying(
            MoeException.class, error -> assertThat(error.kind()).isEqualTo(ErrorKind.DATA))
        .hasMessage(
            "a hundred: 100 tokens, fewer than one sequence of 101; give more text, another"
                + " text.held_out, or a smaller run.seq_length");
    assertThatThrownBy(() -> Batches.spread(HUNDRED, 4, 101, 1)).hasMessageContaining("fewer");
  }
}
