package moe.backend.cuda;

import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// Pinned memory where copies to the host land, up to one mark of the stream, and where they go
/// from there.
final class Landing implements AutoCloseable {
  private static final long BYTES = 4 << 20; // taken at a time
  private static final int MOST = 16; // times

  private final Device device;
  private final List<MemorySegment> memory = new ArrayList<>();
  private final List<Landed> landed = new ArrayList<>();
  private Driver.@Nullable Handle mark;
  private long number; // of the mark
  private boolean pending; // whether the mark stands and nobody has waited for it
  private int block;
  private long used; // of the block

  /// @param there where it lands
  /// @param target where it is to go
  private record Landed(MemorySegment there, MemorySegment target) {}

  Landing(Device device) {
    this.device = device;
  }

  /// Issues a copy; false if there is no room for it.
  boolean add(long source, MemorySegment target, Driver.Handle stream) {
    long bytes = target.byteSize();
    if (bytes > BYTES) {
      return false;
    }
    if (used + bytes > BYTES) {
      if (block + 1 == MOST) {
        return false;
      }
      block++;
      used = 0;
    }
    Driver driver = device.driver();
    if (block == memory.size()) {
      memory.add(driver.allocateHost(BYTES));
    }
    MemorySegment there = memory.get(block).asSlice(used, bytes);
    driver.downloadLater(source, there, stream);
    landed.add(new Landed(there, target));
    used += Math.ceilDiv(bytes, 16L) * 16;
    return true;
  }

  /// Marks the end of what is to land here.
  void mark(long newNumber, Driver.Handle stream) {
    if (mark == null) {
      mark = device.driver().newMark();
    }
    device.driver().mark(mark, stream);
    number = newNumber;
    pending = true;
  }

  /// Whether a mark stands here that nobody has waited for, with this number or an older one.
  boolean isPending(long upTo) {
    return pending && number <= upTo;
  }

  /// Waits for the mark and hands on what has landed.
  void await() {
    Driver.Handle standing = mark;
    if (standing != null) {
      device.driver().await(standing);
    }
    deliver();
  }

  /// Hands on what has landed; all of it has.
  void deliver() {
    for (Landed copy : landed) {
      MemorySegment.copy(copy.there, 0, copy.target, 0, copy.target.byteSize());
    }
    landed.clear();
    pending = false;
    block = 0;
    used = 0;
  }

  @Override
  public void close() {
    Driver.Handle standing = mark;
    if (standing != null) {
      mark = null;
      device.release("a mark", () -> device.driver().closeMark(standing));
    }
    for (MemorySegment block : memory) {
      device.release("host memory", () -> device.driver().freeHost(block));
    }
    memory.clear();
  }
}
