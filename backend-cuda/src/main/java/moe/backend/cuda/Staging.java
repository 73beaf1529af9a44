package moe.backend.cuda;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/// Copies between the host's memory and a stream, which arrays pass through native memory.
final class Staging {
  private static final long BYTES = 4 << 20;
  // So much the driver takes into its queue of commands, so that the staging memory is free again.
  private static final long TAKEN_AT_ONCE = 64 << 10;

  private final Device device;
  private final Driver.Handle stream;
  private final MemorySegment memory;

  Staging(Device device, Driver.Handle stream, Arena arena) {
    this.device = device;
    this.stream = stream;
    this.memory = arena.allocate(BYTES, 64);
  }

  /// Copies to an address of the device; the source may be reused when this returns.
  void upload(MemorySegment source, long target) {
    Driver driver = device.driver();
    if (source.isNative()) {
      if (source.byteSize() > 0) {
        driver.upload(source, target, stream);
        driver.synchronize(stream); // pinned memory would still be read
      }
      return;
    }
    for (long at = 0; at < source.byteSize(); at += BYTES) {
      long bytes = Math.min(BYTES, source.byteSize() - at);
      if (bytes > TAKEN_AT_ONCE) {
        driver.synchronize(stream);
      }
      MemorySegment.copy(source, at, memory, 0, bytes);
      driver.upload(memory.asSlice(0, bytes), target + at, stream);
    }
  }

  /// Copies from an address of the device and waits for it.
  void download(long source, MemorySegment target) {
    Driver driver = device.driver();
    if (target.isNative()) {
      if (target.byteSize() > 0) {
        driver.download(source, target, stream);
      }
      return;
    }
    for (long at = 0; at < target.byteSize(); at += BYTES) {
      long bytes = Math.min(BYTES, target.byteSize() - at);
      driver.download(source + at, memory.asSlice(0, bytes), stream);
      MemorySegment.copy(memory, 0, target, at, bytes);
    }
  }
}
