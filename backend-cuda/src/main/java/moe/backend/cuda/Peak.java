package moe.backend.cuda;

import moe.spi.device.DType;
import moe.spi.device.DeviceStream;
import moe.spi.device.Shape;
import moe.spi.device.Tensor;

/// What the device can do now.
final class Peak {
  private static final Kernel FMA = new Kernel("peak", "moe_peak_fma");
  private static final Kernel READ = new Kernel("peak", "moe_peak_read");
  private static final int ROUNDS = 4096;
  private static final int FMA_PER_ROUND = 32;
  private static final int BLOCK = 256;
  private static final long BUFFER_FLOATS = 1L << 28; // 1 GiB, far above any cache
  private static final int RUNS = 3;

  private Peak() {}

  static double flopsPerSecond(CudaBackend backend, int multiprocessors) {
    int blocks = multiprocessors * 8;
    double operations = 2.0 * FMA_PER_ROUND * ROUNDS * BLOCK * blocks;
    try (CudaTensor sink = backend.allocate(DType.F32, Shape.of(1));
        CudaStream stream = backend.newStream()) {
      return operations
          / fastest(
              stream,
              () -> stream.launch(FMA, BLOCK, blocks, 1, 1).tensor(sink).number(ROUNDS).run());
    }
  }

  static double readBytesPerSecond(CudaBackend backend, int multiprocessors) {
    long floats = Math.min(BUFFER_FLOATS, backend.memory().freeBytes() / 8 / 4 * 4);
    try (CudaTensor sink = backend.allocate(DType.F32, Shape.of(1));
        Tensor buffer = backend.allocate(DType.F32, Shape.of(floats));
        CudaStream stream = backend.newStream()) {
      return 4.0
          * floats
          / fastest(
              stream,
              () ->
                  stream
                      .launch(READ, BLOCK, multiprocessors * 16L, 1, 1)
                      .tensor(buffer)
                      .tensor(sink)
                      .wide(floats / 4)
                      .run());
    }
  }

  /// Seconds of the fastest of some runs.
  private static double fastest(DeviceStream stream, Runnable work) {
    work.run(); // loads the kernel
    double best = Double.POSITIVE_INFINITY;
    for (int run = 0; run < RUNS; run++) {
      long start = stream.timeNanos();
      work.run();
      best = Math.min(best, (stream.timeNanos() - start) * 1e-9);
    }
    return best;
  }
}
