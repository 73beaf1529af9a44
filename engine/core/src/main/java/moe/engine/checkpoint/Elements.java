package moe.engine.checkpoint;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;

/// Turns stored elements, little-endian and at any address, into those of Java.
final class Elements {
  private static final ValueLayout.OfFloat F32 =
      ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final ValueLayout.OfShort BITS16 =
      ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final ValueLayout.OfInt I32 =
      ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final ValueLayout.OfLong I64 =
      ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final ValueLayout.OfFloat NATIVE = ValueLayout.JAVA_FLOAT_UNALIGNED;

  /// False if the type is no floating-point number that the engine reads.
  static boolean toFloats(StoredType type, MemorySegment source, MemorySegment target) {
    long count = target.byteSize() / Float.BYTES;
    switch (type) {
      case F32 -> MemorySegment.copy(source, F32, 0, target, NATIVE, 0, count);
      case F16 -> {
        for (long i = 0; i < count; i++) {
          target.setAtIndex(NATIVE, i, Float.float16ToFloat(source.getAtIndex(BITS16, i)));
        }
      }
      case BF16 -> {
        for (long i = 0; i < count; i++) {
          target.setAtIndex(NATIVE, i, Float.intBitsToFloat(source.getAtIndex(BITS16, i) << 16));
        }
      }
      case I32, I64, F64, I16, I8, U8, BOOL, U16, U32, U64, F8_E4M3, F8_E5M2 -> {
        return false;
      }
    }
    return true;
  }

  /// False if the type is no integer that the engine reads, or a value takes more than 32 bits.
  static boolean toInts(StoredType type, MemorySegment source, int[] target) {
    return switch (type) {
      case I32 -> {
        MemorySegment.copy(source, I32, 0, target, 0, target.length);
        yield true;
      }
      case I64 -> narrow(source, target);
      case F32, F16, BF16, F64, I16, I8, U8, BOOL, U16, U32, U64, F8_E4M3, F8_E5M2 -> false;
    };
  }

  private static boolean narrow(MemorySegment source, int[] target) {
    for (int i = 0; i < target.length; i++) {
      long value = source.getAtIndex(I64, i);
      target[i] = (int) value;
      if (target[i] != value) {
        return false;
      }
    }
    return true;
  }

  private Elements() {}
}
