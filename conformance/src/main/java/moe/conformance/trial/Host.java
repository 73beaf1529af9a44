package moe.conformance.trial;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import moe.spi.device.DType;

/// Elements in the host's memory.
final class Host {
  /// A quiet NaN that no operation makes, so that what was not written shows.
  static final int SENTINEL = 0x7fc0_1234;

  private static final short HALF_SENTINEL = (short) 0x7fc5;

  private Host() {}

  /// Zeros in a Java array of the type's own kind.
  static MemorySegment like(DType type, int elements) {
    return switch (type) {
      case F32 -> MemorySegment.ofArray(new float[elements]);
      case I32 -> MemorySegment.ofArray(new int[elements]);
      case F16, BF16 -> MemorySegment.ofArray(new short[elements]);
    };
  }

  /// Sentinels in a Java array.
  static MemorySegment sentinels(DType type, int elements) {
    MemorySegment segment = like(type, elements);
    for (int i = 0; i < elements; i++) {
      switch (type) {
        case F32, I32 -> segment.setAtIndex(ValueLayout.JAVA_INT_UNALIGNED, i, SENTINEL);
        case F16, BF16 -> segment.setAtIndex(ValueLayout.JAVA_SHORT_UNALIGNED, i, HALF_SENTINEL);
      }
    }
    return segment;
  }

  static void set(MemorySegment segment, DType type, int index, double value) {
    int bits = Float.floatToRawIntBits((float) value);
    switch (type) {
      case F32 -> segment.setAtIndex(ValueLayout.JAVA_INT_UNALIGNED, index, bits);
      case I32 -> segment.setAtIndex(ValueLayout.JAVA_INT_UNALIGNED, index, (int) value);
      case BF16 ->
          segment.setAtIndex(ValueLayout.JAVA_SHORT_UNALIGNED, index, (short) (bits >>> 16));
      case F16 ->
          segment.setAtIndex(
              ValueLayout.JAVA_SHORT_UNALIGNED, index, Float.floatToFloat16((float) value));
    }
  }

  static double get(MemorySegment segment, DType type, int index) {
    return switch (type) {
      case F32 -> Float.intBitsToFloat(segment.getAtIndex(ValueLayout.JAVA_INT_UNALIGNED, index));
      case I32 -> segment.getAtIndex(ValueLayout.JAVA_INT_UNALIGNED, index);
      case BF16 ->
          Float.intBitsToFloat(segment.getAtIndex(ValueLayout.JAVA_SHORT_UNALIGNED, index) << 16);
      case F16 -> Float.float16ToFloat(segment.getAtIndex(ValueLayout.JAVA_SHORT_UNALIGNED, index));
    };
  }
}
