package moe.backend.cpu.kernel;

/// Work on rows that do not touch each other, cut into tasks of a size that does not depend on the
/// number of threads.
abstract class RowJob implements CpuThreads.Job {
  /// Elements of a task: enough to be worth a wake-up, few enough to stay in the first caches.
  private static final int GRAIN = 16 * 1024;

  private final CpuThreads threads;
  private int rows;
  private int rowsPerTask;

  RowJob(CpuThreads threads) {
    this.threads = threads;
  }

  /// Works on all rows.
  ///
  /// @param elementsPerRow how much work a row is
  final void runRows(int rows, int elementsPerRow) {
    this.rows = rows;
    this.rowsPerTask = Math.max(1, GRAIN / Math.max(1, elementsPerRow));
    threads.run(Math.ceilDiv(rows, rowsPerTask), this);
  }

  @Override
  public final void run(int index) {
    int from = index * rowsPerTask;
    rows(from, Math.min(rows, from + rowsPerTask));
  }

  /// Works on the rows `from` to `to`.
  abstract void rows(int from, int to);
}
