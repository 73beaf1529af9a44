package moe.spi.device;

import java.util.List;
import java.util.Optional;
import java.util.Set;

/// An open device: allocates tensors, makes streams, and computes the dense operations of a
/// transformer.
///
/// Allocation and `newStream` may be called from any thread. Tensors and streams that are still
/// open when the backend closes are closed with it.
public interface Backend extends AutoCloseable {
  /// The name of the factory that opened this backend.
  String name();

  /// The device behind this backend.
  DeviceInfo device();

  /// What this backend can do beyond the contract.
  Set<Capability> capabilities();

  /// A new tensor filled with zeros.
  ///
  /// @throws moe.spi.error.MoeException kind `MEMORY` with needed and free bytes, kind
  ///   `UNSUPPORTED` for a type or size the device cannot hold
  Tensor allocate(DType type, Shape shape);

  /// A new in-order queue of work, confined to one thread at a time.
  DeviceStream newStream();

  /// The operations of a transformer outside the MoE block.
  DenseOps dense();

  /// Measures how many float32 operations per second the device does now: multiply-adds from
  /// registers on all cores, two operations each. Takes some milliseconds, so that it can stand
  /// between the runs it is compared with: a shared machine changes its speed.
  double measureFlops();

  /// Measures how many bytes per second all cores together read now from memory far larger than any
  /// cache. Takes well under a second.
  double measureReadBandwidth();

  /// The format in which matrix products multiply, never `AUTO`. Routers may be more precise.
  default Compute precision() {
    return Compute.F32;
  }

  /// The memory in use now.
  MemoryUse memory();

  /// A backend that stands for this one while memory is planned: it counts what is allocated and
  /// takes nothing; stages, streams and operations work on it, and compute nothing. The caller
  /// closes it. Empty if this backend has none.
  default Optional<Backend> rehearsal() {
    return Optional.empty();
  }

  /// Where each tensor that is open now was allocated, as stack traces.
  ///
  /// They are kept only if the system property `moe.trace.allocations` was true when the backend
  /// was opened, and only by backends that keep `OpenTensors`; otherwise this is empty.
  default List<Throwable> openAllocations() {
    return List.of();
  }

  @Override
  void close();
}
