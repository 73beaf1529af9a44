package moe.engine.bench;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.SplittableRandom;
import moe.spi.device.DType;
import moe.spi.device.DeviceStream;
import moe.spi.device.Shape;
import moe.spi.device.Tensor;

/// Fills tensors with normal noise, fast enough for billions of values: one run of a million
/// values, repeated.
final class Noise implements AutoCloseable {
  // A prime, so that no row of a matrix starts at the same place as another one.
  private static final int RUN = 1_048_573;

  private final Arena arena = Arena.ofShared();
  private final MemorySegment floats = arena.allocate(4L * RUN, 64);
  private final MemorySegment scaled = arena.allocate(4L * RUN, 64);
  private final DeviceStream stream;

  Noise(long seed, DeviceStream stream) {
    this.stream = stream;
    SplittableRandom random = new SplittableRandom(seed);
    for (int i = 0; i < RUN; i++) {
      floats.setAtIndex(ValueLayout.JAVA_FLOAT, i, (float) random.nextGaussian());
    }
  }

  /// Overwrites the tensor, F32 or BF16, with noise of this deviation.
  void fill(Tensor tensor, double deviation) {
    boolean bf16 = tensor.type() == DType.BF16;
    for (int i = 0; i < RUN; i++) {
      float value = (float) (deviation * floats.getAtIndex(ValueLayout.JAVA_FLOAT, i));
      if (bf16) {
        scaled.setAtIndex(
            ValueLayout.JAVA_SHORT, i, (short) (Float.floatToRawIntBits(value) >>> 16));
      } else {
        scaled.setAtIndex(ValueLayout.JAVA_FLOAT, i, value);
      }
    }
    long elements = tensor.shape().elements();
    for (long from = 0; from < elements; from += RUN) {
      long count = Math.min(RUN, elements - from);
      Tensor part = tensor.view(from, Shape.of(count));
      stream.upload(scaled.asSlice(0, part.byteSize()), part);
    }
    stream.synchronize();
  }

  @Override
  public void close() {
    arena.close();
  }
}
