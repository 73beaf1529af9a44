package moe.backend.cpu.kernel;

import java.util.Arrays;
import java.util.function.IntConsumer;

/// Measures the best of many short runs on all threads, since a neighbour may hold a core for a
/// while.
public final class Peak {
  private static final long MEASURE_NANOS = 300_000_000;

  /// Short, so that it can stand between the runs that are compared with it.
  private static final long BURST_NANOS = 5_000_000;

  /// A loop that C2 has compiled does a small call in far less than this, any other one in more.
  private static final long COMPILED_NANOS = 3_000;

  private static final long WARM_UP_NANOS = 10_000_000_000L;

  private static final int FEW_ROUNDS = 16;
  private static final int ROUNDS = 1024;
  private static final int CALLS = 1024;

  /// 256 MiB: far larger than the caches of one processor.
  private static final int READ_FLOATS = 1 << 26;

  private static final int READ_STRETCH = 1 << 18;

  private final CpuThreads threads;
  private final PeakKernels kernels;
  private final NormKernels sums;

  /// One per index, so that nothing is optimised away.
  private float[] results = new float[1];

  public Peak(CpuThreads threads, InnerLoops loops) {
    this.threads = threads;
    this.kernels = loops.peaks;
    this.sums = loops.norms;
  }

  /// Multiply-adds from registers on all threads, each counted as two operations per second. The
  /// first call also waits for the compiler; later ones take some milliseconds.
  public double flopsPerSecond() {
    warmUp(index -> results[0] += kernels.multiplyAdds(FEW_ROUNDS));
    int tasks = threads.size();
    results = new float[tasks];
    double seconds = best(tasks, BURST_NANOS, this::multiplyAdds);
    return (double) tasks * CALLS * ROUNDS * kernels.operations() / seconds;
  }

  /// Bytes read from memory on all threads per second.
  public double readBytesPerSecond() {
    float[] memory = new float[READ_FLOATS];
    // Pages that were never written may all be one page of zeros.
    Arrays.fill(memory, 1f);
    warmUp(index -> results[0] += sums.sum(memory, 0, 16 * FEW_ROUNDS));
    int tasks = READ_FLOATS / READ_STRETCH;
    results = new float[tasks];
    double seconds =
        best(
            tasks,
            MEASURE_NANOS,
            index -> results[index] = sums.sum(memory, index * READ_STRETCH, READ_STRETCH));
    return (double) READ_FLOATS * Float.BYTES / seconds;
  }

  private void multiplyAdds(int index) {
    float sum = 0;
    for (int i = 0; i < CALLS; i++) {
      sum += kernels.multiplyAdds(ROUNDS);
    }
    results[index] = sum;
  }

  private static void warmUp(IntConsumer call) {
    long end = System.nanoTime() + WARM_UP_NANOS;
    int fast = 0;
    for (long start = System.nanoTime(); start - end < 0 && fast < 100; ) {
      call.accept(0);
      long now = System.nanoTime();
      fast = now - start < COMPILED_NANOS ? fast + 1 : 0;
      start = now;
    }
  }

  private double best(int tasks, long nanos, CpuThreads.Job job) {
    long best = Long.MAX_VALUE;
    long end = System.nanoTime() + nanos;
    for (long start = System.nanoTime(); start - end < 0; start = System.nanoTime()) {
      threads.run(tasks, job);
      best = Math.min(best, System.nanoTime() - start);
    }
    return best * 1e-9;
  }
}
