package moe.backend.opencl.kernel;

/// Measures what the device can do at best, by the best of several short runs.
public final class Peak implements AutoCloseable {
  /// As in `peak.cl`.
  private static final int ROUNDS = 256;

  private static final int CHAINS = 12;

  private static final int RUNS = 5;

  /// Enough to keep any device busy: work-items times rounds.
  private static final long GPU_ITEMS = 1 << 20;

  private static final long PROCESSOR_ITEMS = 1 << 14;

  /// 256 MiB: far larger than the caches of one processor.
  private static final long READ_FLOATS = 1 << 26;

  private static final int PART = 1 << 14;

  private final Kernels kernels;
  private final Memory memory;
  private final WorkQueue queue;
  private final Tuning tuning;

  /// @param memory closed by who gives it
  public Peak(Compute compute, Memory memory) {
    kernels = new Kernels(compute);
    queue = compute.newQueue();
    tuning = compute.tuning();
    this.memory = memory;
  }

  /// Multiply-adds from registers per second, each counted as two operations.
  public double flopsPerSecond() {
    long items = tuning.processor() ? PROCESSOR_ITEMS : GPU_ITEMS;
    int chains = tuning.processor() ? tuning.tileRows() : CHAINS;
    Region out = memory.floats(items);
    ClKernel kernel = kernels.kernel("peak", "multiply_adds");
    double seconds = best(() -> kernel.begin().region(out).number(0.5f).items(queue, items));
    return 2.0 * items * ROUNDS * chains * tuning.width() / seconds;
  }

  /// Bytes read from memory per second.
  public double readBytesPerSecond() {
    Region x = memory.floats(READ_FLOATS);
    Region sums = memory.floats(READ_FLOATS / PART);
    ClKernel kernel = kernels.kernel("peak", "read");
    double seconds =
        best(() ->
            kernel.begin().region(x).whole(PART).region(sums).rows(queue, READ_FLOATS / PART));
    return (double) READ_FLOATS * Float.BYTES / seconds;
  }

  @Override
  public void close() {
    kernels.close();
    queue.close();
  }

  private double best(Runnable run) {
    long best = Long.MAX_VALUE;
    for (int i = 0; i <= RUNS; i++) {
      long start = System.nanoTime();
      run.run();
      queue.finish();
      long nanos = System.nanoTime() - start;
      best = i == 0 ? best : Math.min(best, nanos); // the first run compiles
    }
    return best * 1e-9;
  }
}
