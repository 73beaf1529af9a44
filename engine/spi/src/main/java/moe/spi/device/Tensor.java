package moe.spi.device;

import java.lang.foreign.MemorySegment;

/// A dense, row-major array in a device's memory.
///
/// Who allocates closes; closing twice is fine. A view shares the memory of its owner and is
/// invalid once that is closed; closing a view does nothing. Not safe for use by several streams at
/// a time.
public interface Tensor extends AutoCloseable {
  /// The element type.
  DType type();

  /// The extents.
  Shape shape();

  /// A window on this tensor's memory: `shape.elements()` elements from `firstElement` on.
  ///
  /// @throws IndexOutOfBoundsException if the window reaches beyond this tensor
  Tensor view(long firstElement, Shape shape);

  /// The window that holds the indexes `from` (inclusive) to `to` (exclusive) of the first
  /// dimension.
  default Tensor slice(long from, long to) {
    Shape part = shape().withFirst(to - from);
    long stride = shape().elements() == 0 ? 0 : shape().elements() / shape().dim(0);
    return view(from * stride, part);
  }

  /// The memory itself, if the backend has `HOST_VISIBLE_MEMORY`: `byteSize()` bytes in native
  /// order. A backend whose tensors are Java arrays returns a heap segment, so `heapBase()` gives
  /// the array.
  ///
  /// @throws moe.spi.error.MoeException kind `UNSUPPORTED` if the host cannot see this memory
  MemorySegment segment();

  /// Bytes of all elements.
  default long byteSize() {
    return Math.multiplyExact(shape().elements(), type().bytes());
  }

  @Override
  void close();
}
