package moe.backend.cpu.kernel;

import java.util.Arrays;

/// Measures the best of many short runs on all threads: the first ones are not compiled yet, and a
/// neighbour may hold a core for a while.
public final class Peak {
  /// How long to look for the best run.
  private static final long NANOS = 300_000_000;

  /// A millisecond or so for each thread: long beside starting and ending a job.
  private static final int ROUNDS = 1 << 17;

  /// 256 MiB: far larger than the caches of one processor.
  private static final int READ_FLOATS = 1 << 26;

  private static final int READ_STRETCH = 1 << 18;

  private final CpuThreads threads;
  private final PeakKernels kernels;
  private final NormKernels sums;

  /// One per index, so that nothing is optimised away.
  private float[] results = {};

  public Peak(CpuThreads threads, InnerLoops loops) {
    this.threads = threads;
    this.kernels = loops.peaks;
    this.sums = loops.norms;
  }

  /// Multiply-adds from registers on all threads, each counted as two operations per second.
  public double flopsPerSecond() {
    int tasks = threads.size();
    results = new float[tasks];
    // Uncompiled, a vector operation takes a microsecond: make these rounds few.
    best(tasks, index -> results[index] = kernels.multiplyAdds(64));
    double seconds = best(tasks, index -> results[index] = kernels.multiplyAdds(ROUNDS));
    return (double) tasks * ROUNDS * kernels.operations() / seconds;
  }

  /// Bytes read from memory on all threads per second.
  public double readBytesPerSecond() {
    float[] memory = new float[READ_FLOATS];
    // Pages that were never written may all be one page of zeros.
    Arrays.fill(memory, 1f);
    int tasks = READ_FLOATS / READ_STRETCH;
    results = new float[tasks];
    // Uncompiled, as above: a few short stretches first.
    best(tasks, index -> results[index] = sums.sum(memory, index * READ_STRETCH, 64));
    double seconds =
        best(tasks, index -> results[index] = sums.sum(memory, index * READ_STRETCH, READ_STRETCH));
    return (double) READ_FLOATS * Float.BYTES / seconds;
  }

  private double best(int tasks, CpuThreads.Job job) {
    long best = Long.MAX_VALUE;
    long end = System.nanoTime() + NANOS;
    for (long start = System.nanoTime(); start - end < 0; start = System.nanoTime()) {
      threads.run(tasks, job);
      best = Math.min(best, System.nanoTime() - start);
    }
    return best * 1e-9;
  }
}
