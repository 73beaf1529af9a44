package moe.engine.bench;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import moe.spi.device.DType;
import moe.spi.device.DeviceStream;
import moe.spi.device.Shape;
import moe.spi.device.Tensor;

/// Fills tensors with normal noise, on all processors: there are billions of values, and none may
/// come twice, as what a device takes for a product depends on what it multiplies.
final class Noise implements AutoCloseable {
  private static final int CHUNK = 1 << 20;

  private final Arena arena = Arena.ofShared();
  private final MemorySegment[] chunks =
      Stream.generate(() -> arena.allocate(4L * CHUNK, 64))
          .limit(Runtime.getRuntime().availableProcessors())
          .toArray(MemorySegment[]::new);
  private final SplittableRandom seeds;
  private final DeviceStream stream;

  Noise(long seed, DeviceStream stream) {
    this.seeds = new SplittableRandom(seed);
    this.stream = stream;
  }

  /// Overwrites the tensor, F32 or BF16, with noise of this deviation; the values do not depend on
  /// the number of processors.
  void fill(Tensor tensor, double deviation) {
    long elements = tensor.shape().elements();
    long seed = seeds.nextLong();
    for (long from = 0; from < elements; from += (long) CHUNK * chunks.length) {
      long first = from;
      int used = (int) Math.min(chunks.length, Math.ceilDiv(elements - first, (long) CHUNK));
      IntStream.range(0, used)
          .parallel()
          .forEach(
              i -> make(chunks[i], tensor.type(), seed + first / CHUNK + i, (float) deviation));
      for (int i = 0; i < used; i++) {
        long at = first + (long) i * CHUNK;
        Tensor part = tensor.view(at, Shape.of(Math.min(CHUNK, elements - at)));
        stream.upload(chunks[i].asSlice(0, part.byteSize()), part);
      }
      stream.synchronize();
    }
  }

  private static void make(MemorySegment chunk, DType type, long seed, float deviation) {
    SplittableRandom random = new SplittableRandom(seed);
    boolean bf16 = type == DType.BF16;
    for (int i = 0; i < CHUNK; i++) {
      float value = deviation * (float) random.nextGaussian();
      if (bf16) {
        chunk.setAtIndex(
            ValueLayout.JAVA_SHORT, i, (short) (Float.floatToRawIntBits(value) >>> 16));
      } else {
        chunk.setAtIndex(ValueLayout.JAVA_FLOAT, i, value);
      }
    }
  }

  @Override
  public void close() {
    arena.close();
  }
}
