package moe.spi.device;

/// How much of a device's memory a backend holds.
///
/// @param limitBytes the most this backend may allocate, in bytes
/// @param allocatedBytes bytes of all tensors that are open now
public record MemoryUse(long limitBytes, long allocatedBytes) {
  /// Bytes that may still be allocated.
  public long freeBytes() {
    return limitBytes - allocatedBytes;
  }
}
