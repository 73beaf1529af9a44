package moe.backend.cpu.kernel;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Arrays;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicIntegerArray;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
final class CpuThreadsTest {
  @Test
  void runsEveryIndexOnceOnAnyNumberOfThreads() {
    for (int size = 1; size <= 9; size++) {
      try (CpuThreads threads = new CpuThreads(size)) {
        for (int count = 0; count < 40; count++) {
          AtomicIntegerArray calls = new AtomicIntegerArray(count);
          threads.run(count, calls::incrementAndGet);
          for (int i = 0; i < count; i++) {
            assertThat(calls.get(i)).isEqualTo(1);
          }
        }
      }
    }
  }

  @Test
  void returnsWhatJobsWroteManyTimesInARow() {
    try (CpuThreads threads = new CpuThreads(5)) {
      int[] cells = new int[13];
      for (int round = 1; round <= 20_000; round++) {
        int value = round;
        threads.run(cells.length, i -> cells[i] = value);
        assertThat(Arrays.stream(cells).sum()).isEqualTo(13 * round);
      }
    }
  }

  @Test
  void wakesThreadsThatHaveParked() throws InterruptedException {
    try (CpuThreads threads = new CpuThreads(2)) {
      for (int round = 0; round < 20; round++) {
        Thread.sleep(5);
        AtomicInteger inside = new AtomicInteger();
        // Both indexes must run at the same time, or this never ends.
        threads.run(
            2,
            i -> {
              inside.incrementAndGet();
              while (inside.get() < 2) {
                Thread.onSpinWait();
              }
            });
      }
    }
  }

  @Test
  void throwsWhatAJobThrewAndStaysUsable() {
    try (CpuThreads threads = new CpuThreads(3)) {
      for (int failing = 0; failing < 7; failing++) {
        int index = failing;
        assertThatThrownBy(() -> threads.run(7, i -> failAt(i, index)))
            .isInstanceOf(ArithmeticException.class)
            .hasMessage("index " + index);
      }
      AtomicInteger calls = new AtomicInteger();
      threads.run(7, i -> calls.incrementAndGet());
      assertThat(calls.get()).isEqualTo(7);
    }
  }

  private static void failAt(int i, int failing) {
    if (i == failing) {
      throw new ArithmeticException("index " + i);
    }
  }

  @Test
  void servesSeveralCallersOneAfterTheOther() throws InterruptedException {
    try (CpuThreads threads = new CpuThreads(2)) {
      AtomicInteger total = new AtomicInteger();
      Thread[] callers = new Thread[4];
      for (int c = 0; c < callers.length; c++) {
        callers[c] = new Thread(() -> callRepeatedly(threads, total));
        callers[c].start();
      }
      for (Thread caller : callers) {
        caller.join();
      }
      assertThat(total.get()).isEqualTo(4 * 500 * 10);
    }
  }

  private static void callRepeatedly(CpuThreads threads, AtomicInteger total) {
    for (int round = 0; round < 500; round++) {
      threads.run(10, i -> total.incrementAndGet());
    }
  }

  @Test
  void refusesAJobInsideAJobAndAnyJobOnceClosed() {
    CpuThreads threads = new CpuThreads(2);
    assertThatThrownBy(() -> threads.run(2, i -> threads.run(1, j -> {})))
        .isInstanceOf(IllegalStateException.class);
    threads.close();
    threads.close();
    assertThatThrownBy(() -> threads.run(1, i -> {})).isInstanceOf(IllegalStateException.class);
  }

  @Test
  void allocatesNothing() {
    try (CpuThreads threads = new CpuThreads(3)) {
      CpuThreads.Job job = i -> threads.scratch().floats(1, 100 + i)[i] = i;
      long bytes = new AllocatedBytes().duringSteadyState(2_000, () -> threads.run(8, job));
      assertThat(bytes).isZero();
    }
  }
}
