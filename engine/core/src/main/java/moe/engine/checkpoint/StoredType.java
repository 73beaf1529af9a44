package moe.engine.checkpoint;

/// The element types that a safetensors file may hold; the engine reads the first five.
public enum StoredType {
  /// IEEE 754 binary32.
  F32(4),
  /// IEEE 754 binary16.
  F16(2),
  /// The upper half of a binary32.
  BF16(2),
  /// 32-bit two's complement.
  I32(4),
  /// 64-bit two's complement.
  I64(8),
  /// IEEE 754 binary64; not read.
  F64(8),
  /// Not read.
  I16(2),
  /// Not read.
  I8(1),
  /// Not read.
  U8(1),
  /// Not read; old GPT-2 files store their causal mask so.
  BOOL(1),
  /// Not read.
  U16(2),
  /// Not read.
  U32(4),
  /// Not read.
  U64(8),
  /// Not read.
  F8_E4M3(1),
  /// Not read.
  F8_E5M2(1);

  private final int bytes;

  StoredType(int bytes) {
    this.bytes = bytes;
  }

  /// Bytes of one element.
  public int bytes() {
    return bytes;
  }
}
