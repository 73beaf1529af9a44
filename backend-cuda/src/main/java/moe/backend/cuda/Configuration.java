package moe.backend.cuda;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/// `CUlaunchConfig` of `cuda.h` with one attribute: the kernel may start before its predecessor in
/// the stream has ended.
final class Configuration {
  private static final int BYTES = 56;
  private static final int SHARED = 24;
  private static final int STREAM = 32;
  private static final int ATTRIBUTES = 40;
  private static final int COUNT = 48;
  private static final int ATTRIBUTE_BYTES = 72;
  private static final int PROGRAMMATIC_STREAM_SERIALIZATION = 6;
  private static final int VALUE = 8;

  private final MemorySegment memory;

  Configuration(Arena arena) {
    memory = arena.allocate(BYTES, Long.BYTES);
    MemorySegment attribute = arena.allocate(ATTRIBUTE_BYTES, Long.BYTES);
    attribute.set(JAVA_INT, 0, PROGRAMMATIC_STREAM_SERIALIZATION);
    attribute.set(JAVA_INT, VALUE, 1);
    memory.set(ADDRESS, ATTRIBUTES, attribute);
    memory.set(JAVA_INT, COUNT, 1);
  }

  /// Filled for this call.
  MemorySegment of(Launch launch, long stream) {
    for (int dimension = 0; dimension < 3; dimension++) {
      memory.set(JAVA_INT, 4L * dimension, launch.grid(dimension));
      memory.set(JAVA_INT, 12 + 4L * dimension, launch.block(dimension));
    }
    memory.set(JAVA_INT, SHARED, launch.sharedBytes());
    memory.set(JAVA_LONG, STREAM, stream);
    return memory;
  }
}
