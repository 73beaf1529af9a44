package moe.engine.reliability;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.management.UnixOperatingSystemMXBean;
import java.lang.management.BufferPoolMXBean;
import java.lang.management.ManagementFactory;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Function;
import moe.engine.checkpoint.Checkpoint;
import moe.engine.config.BlockPath;
import moe.engine.model.Gpt2;
import moe.engine.model.Gpt2Pass;
import moe.engine.model.ModelOptions;
import moe.engine.oracle.CpuDevice;
import moe.engine.oracle.Fixture;
import org.junit.jupiter.api.Test;

/// Opening, running and closing leaves nothing behind: `-Dmoe.cycles=10000` for longer.
final class OpenAndCloseTest {
  private static final int CYCLES = Integer.getInteger("moe.cycles", 500);
  private static final int WARM_UP = 20;
  private static final long PATIENCE_NANOS = 30_000_000_000L;

  /// What could be left behind.
  private record Left(long threads, long descriptors, long direct, long mapped) {
    static Left now() {
      return new Left(
          ManagementFactory.getThreadMXBean().getThreadCount(),
          ManagementFactory.getOperatingSystemMXBean() instanceof UnixOperatingSystemMXBean unix
              ? unix.getOpenFileDescriptorCount()
              : 0,
          pools(BufferPoolMXBean::getMemoryUsed, "direct"),
          pools(BufferPoolMXBean::getMemoryUsed, "mapped"));
    }

    private static long pools(Function<BufferPoolMXBean, Long> figure, String start) {
      return ManagementFactory.getPlatformMXBeans(BufferPoolMXBean.class).stream()
          .filter(pool -> pool.getName().startsWith(start))
          .mapToLong(figure::apply)
          .sum();
    }

    boolean isWithin(Left before) {
      return threads <= before.threads
          && descriptors <= before.descriptors
          && direct <= before.direct
          && mapped <= before.mapped;
    }
  }

  @Test
  void leavesNothingBehind() {
    for (int i = 0; i < WARM_UP; i++) {
      cycle();
    }
    Left before = settled(Left.now());
    for (int i = 0; i < CYCLES; i++) {
      cycle();
    }
    Left after = settled(before);
    assertThat(after.isWithin(before))
        .as("%s after %d cycles, %s before", after, CYCLES, before)
        .isTrue();
  }

  /// Threads that were told to end take a moment.
  private static Left settled(Left goal) {
    long end = System.nanoTime() + PATIENCE_NANOS;
    Left now = Left.now();
    while (!now.isWithin(goal) && System.nanoTime() < end) {
      LockSupport.parkNanos(10_000_000);
      now = Left.now();
    }
    return now;
  }

  private static void cycle() {
    try (CpuDevice cpu = new CpuDevice()) {
      try (Checkpoint checkpoint = Checkpoint.open(Fixture.GPT2_MOE);
          Gpt2 model =
              cpu.model(checkpoint.spec(), BlockPath.AUTO, checkpoint, ModelOptions.training(8));
          Gpt2Pass pass = model.trainingPass(1, 8)) {
        pass.load(new int[] {1, 2, 3, 4, 5, 6, 7, 8}, 0);
        pass.forward();
        pass.backward();
        assertThat(pass.loss()).isPositive();
      }
      assertThat(cpu.backend().memory().allocatedBytes()).isZero();
    }
  }
}
