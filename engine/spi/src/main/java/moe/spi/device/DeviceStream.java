package moe.spi.device;

import java.lang.foreign.MemorySegment;
import java.util.Optional;

/// An in-order queue of work on a device, confined to one thread at a time.
///
/// Segments hold as many bytes as the tensor, in native byte order, and may be heap or native
/// memory.
public interface DeviceStream extends AutoCloseable {
  /// Copies host memory into a tensor. The segment may be reused when this returns.
  void upload(MemorySegment source, Tensor target);

  /// Copies a tensor into host memory. Waits for the work issued so far.
  void download(Tensor source, MemorySegment target);

  /// Copies a tensor as it is behind the work issued so far into host memory, where it is once
  /// `synchronize` or the `await` of a later `mark` returns; until then neither is to be closed,
  /// and the host memory may change at any time. Backends that can do not wait.
  default void downloadLater(Tensor source, MemorySegment target) {
    download(source, target);
  }

  /// Marks the end of the work issued so far, so that the host can wait for it, and read what
  /// `downloadLater` brought, with later work under way. Two marks at least can be waited for at a
  /// time; a further one may wait for the oldest. By default, waiting for a mark waits for all
  /// work.
  default Mark mark() {
    return this::synchronize;
  }

  /// Records what `work` issues, without doing it. Nothing of it may allocate, upload, download or
  /// wait, and it should have run before, so that all it needs is loaded.
  ///
  /// @return empty if this stream cannot record, or not this work; nothing is issued then either
  default Optional<Recording> record(Runnable work) {
    return Optional.empty();
  }

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
