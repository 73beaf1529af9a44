package moe.backend.cpu.kernel;

import com.sun.management.ThreadMXBean;
import java.lang.management.ManagementFactory;
import java.util.Arrays;

/// Bytes that the threads of all living `CpuThreads` and the calling thread have allocated so far.
public final class AllocatedBytes {
  private static final long PATIENCE_NANOS = 60_000_000_000L;

  private final ThreadMXBean bean = (ThreadMXBean) ManagementFactory.getThreadMXBean();
  private final long[] ids;

  public AllocatedBytes() {
    Thread[] all = new Thread[Thread.activeCount() + 16];
    int count = Thread.enumerate(all);
    ids =
        Arrays.stream(all, 0, count)
            .filter(thread -> thread.getName().startsWith("moe-cpu-"))
            .mapToLong(Thread::threadId)
            .toArray();
  }

  /// Runs a step in windows of `times` until a window allocates nothing, which it must once arrays
  /// have grown and loops are compiled. The JVM decides when that is; a minute is patience.
  ///
  /// @return bytes allocated in the last window
  public long duringSteadyState(int times, Runnable step) {
    long bytes = Long.MAX_VALUE;
    for (long end = System.nanoTime() + PATIENCE_NANOS; bytes > 0 && System.nanoTime() < end; ) {
      bytes = during(times, step);
    }
    return bytes;
  }

  /// Bytes allocated by `times` steps.
  public long during(int times, Runnable step) {
    long before = now();
    for (int i = 0; i < times; i++) {
      step.run();
    }
    return now() - before;
  }

  private long now() {
    long bytes = bean.getCurrentThreadAllocatedBytes();
    for (long id : ids) {
      bytes += Math.max(0, bean.getThreadAllocatedBytes(id));
    }
    return bytes;
  }
}
