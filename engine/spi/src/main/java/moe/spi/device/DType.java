package moe.spi.device;

/// The element type of a tensor.
public enum DType {
  /// IEEE 754 binary32.
  F32(4),
  /// IEEE 754 binary16.
  F16(2),
  /// The upper 16 bits of a binary32.
  BF16(2),
  /// 32-bit two's complement.
  I32(4);

  private final int bytes;

  DType(int bytes) {
    this.bytes = bytes;
  }

  /// Bytes of one element.
  public int bytes() {
    return bytes;
  }
}
