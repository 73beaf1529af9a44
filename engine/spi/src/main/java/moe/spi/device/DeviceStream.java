package moe.spi.device;

import java.lang.foreign.MemorySegment;

/// An in-order queue of work on a device, confined to one thread at a time.
///
/// Segments hold as many bytes as the tensor, in native byte order, and may be heap or native
/// memory.
public interface DeviceStream extends AutoCloseable {
  /// Copies host memory into a tensor. The segment may be reused when this returns.
  void upload(MemorySegment source, Tensor target);

  /// Copies a tensor into host memory. Waits for the work issued so far.
  void download(Tensor source, MemorySegment target);

  /// Copies all elements; both tensors have one type and the same number of elements.
  void copy(Tensor source, Tensor target);

  /// Sets all elements to zero.
  void zero(Tensor target);

  /// Waits until all work issued so far is done.
  void synchronize();

  /// Waits for the work issued so far and returns a monotonic time in nanoseconds, for differences
  /// only.
  long timeNanos();

  @Override
  void close();
}
