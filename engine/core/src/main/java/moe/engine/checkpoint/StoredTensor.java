package moe.engine.checkpoint;

import moe.spi.device.Shape;

/// Where a tensor lies in a safetensors file.
///
/// @param begin first byte, counted from the end of the header
/// @param end byte behind the last
public record StoredTensor(String name, StoredType type, Shape shape, long begin, long end) {
  /// Bytes of all elements.
  public long byteSize() {
    return end - begin;
  }
}
