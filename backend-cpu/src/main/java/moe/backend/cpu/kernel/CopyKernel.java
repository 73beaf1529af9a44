package moe.backend.cpu.kernel;

import java.util.Arrays;

/// Copies and clears arrays on all threads: one alone does not reach the speed of memory.
public final class CopyKernel extends RowJob {
  /// Elements of a row of work.
  private static final int STRETCH = 16 * 1024;

  private Elements source = Floats.NONE;
  private Elements target = Floats.NONE;
  private boolean clears;
  private int n;

  public CopyKernel(CpuThreads threads) {
    super(threads);
  }

  /// Copies `n` elements; both places are of one type.
  public void copy(Elements source, Elements target, int n) {
    clears = false;
    start(source, target, n);
  }

  /// Sets `n` elements to zero.
  public void zero(Elements target, int n) {
    clears = true;
    start(target, target, n);
  }

  private void start(Elements source, Elements target, int n) {
    this.source = source;
    this.target = target;
    this.n = n;
    runRows(Math.ceilDiv(n, STRETCH), STRETCH);
  }

  @Override
  void rows(int from, int to) {
    int begin = from * STRETCH;
    int part = (int) Math.min(n, (long) to * STRETCH) - begin;
    int at = target.at() + begin;
    if (!clears) {
      System.arraycopy(source.array(), source.at() + begin, target.array(), at, part);
      return;
    }
    switch (target) {
      case Floats floats -> Arrays.fill(floats.array(), at, at + part, 0f);
      case Ints ints -> Arrays.fill(ints.array(), at, at + part, 0);
      case Halves halves -> Arrays.fill(halves.array(), at, at + part, (short) 0);
    }
  }
}
