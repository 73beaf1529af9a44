package moe.backend.cuda;

import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;

/// Copies to the host that nobody waits for: they land in pinned memory, and are handed on once the
/// stream was waited for.
final class LaterDownloads implements AutoCloseable {
  private static final long BYTES = 4 << 20;
  private static final int MOST = 256;

  private final Device device;
  private final MemorySegment[] targets = new MemorySegment[MOST];
  private @Nullable MemorySegment landing;
  private int count;
  private long used;

  LaterDownloads(Device device) {
    this.device = device;
  }

  /// Issues a copy; false if there is no room for it.
  boolean add(long source, MemorySegment target, Driver.Handle stream) {
    if (count == MOST || target.byteSize() > BYTES - used) {
      return false;
    }
    Driver driver = device.driver();
    if (landing == null) {
      landing = driver.allocateHost(BYTES);
    }
    driver.downloadLater(source, landing.asSlice(used, target.byteSize()), stream);
    targets[count++] = target;
    used += padded(target);
    return true;
  }

  /// Hands on what has landed; all of it has.
  void deliver() {
    if (landing == null) {
      return;
    }
    long at = 0;
    for (int i = 0; i < count; i++) {
      MemorySegment.copy(landing, at, targets[i], 0, targets[i].byteSize());
      at += padded(targets[i]);
    }
    count = 0;
    used = 0;
  }

  private static long padded(MemorySegment target) {
    return Math.ceilDiv(target.byteSize(), 16L) * 16;
  }

  @Override
  public void close() {
    MemorySegment memory = landing;
    if (memory != null) {
      landing = null;
      device.release("host memory", () -> device.driver().freeHost(memory));
    }
  }
}
