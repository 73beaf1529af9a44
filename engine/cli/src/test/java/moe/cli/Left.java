package moe.cli;

import com.sun.management.UnixOperatingSystemMXBean;
import java.lang.management.BufferPoolMXBean;
import java.lang.management.ManagementFactory;
import java.util.concurrent.locks.LockSupport;

/// What work that is over could leave behind in this process.
///
/// @param files open ones
/// @param bytes of direct and mapped memory
record Left(long threads, long files, long bytes) {
  private static final long PATIENCE_NANOS = 30_000_000_000L;

  static Left now() {
    return new Left(
        ManagementFactory.getThreadMXBean().getThreadCount(),
        ((UnixOperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean())
            .getOpenFileDescriptorCount(),
        ManagementFactory.getPlatformMXBeans(BufferPoolMXBean.class).stream()
            .mapToLong(BufferPoolMXBean::getMemoryUsed)
            .sum());
  }

  /// As `now`, once that is within `before` or patience is over: threads that were told to end take
  /// a moment.
  static Left settled(Left before) {
    long end = System.nanoTime() + PATIENCE_NANOS;
    Left now = now();
    while (!now.isWithin(before) && System.nanoTime() < end) {
      LockSupport.parkNanos(10_000_000);
      now = now();
    }
    return now;
  }

  boolean isWithin(Left before) {
    return threads <= before.threads && files <= before.files && bytes <= before.bytes;
  }
}
