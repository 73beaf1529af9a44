package moe.backend.cuda;

import java.lang.foreign.MemorySegment;
import moe.spi.device.Mark;

/// Copies to the host that nobody waits for: they land in pinned memory, and are handed on once the
/// stream, or a mark behind them, was waited for. What lands before a mark and what lands behind it
/// do so in different places, two in turn.
final class LaterDownloads implements AutoCloseable {
  private final Landing[] landings;
  private int current;
  private long marks;

  LaterDownloads(Device device) {
    landings = new Landing[] {new Landing(device), new Landing(device)};
  }

  /// Issues a copy; false if there is no room for it.
  boolean add(long source, MemorySegment target, Driver.Handle stream) {
    return free().add(source, target, stream);
  }

  /// A mark behind what was issued so far.
  Mark mark(Driver.Handle stream) {
    long number = ++marks;
    free().mark(number, stream);
    current = 1 - current;
    return () -> await(number);
  }

  // Waits for the mark before the last, if nobody did.
  private Landing free() {
    Landing landing = landings[current];
    if (landing.isPending(marks)) {
      landing.await();
    }
    return landing;
  }

  private void await(long number) {
    Landing older = landings[current];
    Landing newer = landings[1 - current];
    if (older.isPending(number)) {
      older.await();
    }
    if (newer.isPending(number)) {
      newer.await();
    }
  }

  /// Hands on what has landed; all of it has.
  void deliver() {
    int older = landings[current].isPending(marks) ? current : 1 - current;
    landings[older].deliver();
    landings[1 - older].deliver();
  }

  @Override
  public void close() {
    for (Landing landing : landings) {
      landing.close();
    }
  }
}
