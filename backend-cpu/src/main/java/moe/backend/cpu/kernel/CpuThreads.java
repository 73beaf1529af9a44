package moe.backend.cpu.kernel;

import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.LockSupport;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/// A fixed team of threads that runs the indexes of a job, the caller being one of them.
///
/// Indexes are claimed in ascending order from one counter, so a slow core delays one index and not
/// its share of the job. Idle threads spin for some microseconds and then park: a team larger than
/// the free cores costs the neighbours nothing. A run allocates nothing. Any thread may call `run`;
/// a second caller waits until the first job is done. A job must not call `run` of its own team.
public final class CpuThreads implements AutoCloseable {
  /// Work that is split by index.
  @FunctionalInterface
  public interface Job {
    /// Does part `index` of the work. Called once for each index, in any order, by any thread.
    void run(int index);
  }

  // About the price of one park and unpark: waiting longer than that by spinning cannot pay.
  private static final long SPIN_NANOS = 30_000;
  private static final Job NOTHING = index -> {};

  private final Worker[] workers;
  private final Scratch callerScratch = new Scratch();
  private final SharedArrays arrays = new SharedArrays();
  private final ReentrantLock callers = new ReentrantLock();

  // Indexes nobody has claimed yet; what is claimed from 0 or below is no work. A job and its count
  // stay in their fields until each of its claimed indexes is done, so a late claim is always
  // sound.
  private final AtomicInteger unclaimed = new AtomicInteger();
  private final AtomicInteger unfinished = new AtomicInteger();
  private final AtomicReference<@Nullable Throwable> failure = new AtomicReference<>();
  private Job job = NOTHING;
  private int count;
  private @Nullable Thread caller;
  private volatile boolean callerParked;
  private volatile boolean closed;

  /// A team as large as the machine: one thread for each available processor.
  public CpuThreads() {
    this(Runtime.getRuntime().availableProcessors());
  }

  /// A team of `size` threads: `size − 1` daemon threads and whoever calls `run`.
  public CpuThreads(int size) {
    if (size < 1) {
      throw new IllegalArgumentException("size = " + size + ": must be at least 1");
    }
    workers = new Worker[size - 1];
    for (int i = 0; i < workers.length; i++) {
      workers[i] = new Worker(i + 1);
    }
    for (Worker worker : workers) {
      worker.start();
    }
  }

  /// The number of threads, the caller included.
  public int size() {
    return workers.length + 1;
  }

  /// Runs `job` for each index from 0 to `count − 1` and returns when all are done.
  ///
  /// What a job throws reaches the caller: the first failure is thrown, indexes not begun by then
  /// are skipped.
  public void run(int count, Job job) {
    if (callers.isHeldByCurrentThread() || workerOfThisThread() != null) {
      throw new IllegalStateException("a job must not run another job on its own team");
    }
    callers.lock();
    try {
      if (closed) {
        throw new IllegalStateException("these threads are closed");
      }
      if (count > 0) {
        runAlone(count, job);
      }
    } finally {
      callers.unlock();
    }
  }

  /// The arrays of the calling thread, which must be running a job of this team.
  public Scratch scratch() {
    Worker worker = workerOfThisThread();
    return worker == null ? callerScratch : worker.scratch;
  }

  /// What the callers of `run` borrow for several jobs.
  public SharedArrays arrays() {
    return arrays;
  }

  /// Ends the threads; a job that is running is finished first. Closing twice is fine.
  @Override
  public void close() {
    callers.lock();
    try {
      closed = true;
      for (Worker worker : workers) {
        LockSupport.unpark(worker);
      }
    } finally {
      callers.unlock();
    }
  }

  private void runAlone(int count, Job job) {
    this.job = job;
    this.count = count;
    caller = Thread.currentThread();
    unfinished.set(count);
    unclaimed.set(count);
    int helpers = Math.min(count - 1, workers.length);
    for (int i = 0; i < helpers; i++) {
      if (workers[i].parked) {
        LockSupport.unpark(workers[i]);
      }
    }
    work();
    awaitOthers();
    caller = null;
    this.job = NOTHING;
    Throwable thrown = failure.getAndSet(null);
    if (thrown instanceof Error error) {
      throw error;
    }
    if (thrown instanceof RuntimeException exception) {
      throw exception;
    }
  }

  private void work() {
    while (unclaimed.get() > 0) {
      int left = unclaimed.getAndDecrement();
      if (left <= 0) {
        return;
      }
      try {
        if (failure.get() == null) {
          job.run(count - left);
        }
      } catch (RuntimeException | Error thrown) {
        failure.compareAndSet(null, thrown);
      } finally {
        if (unfinished.decrementAndGet() == 0 && callerParked) {
          LockSupport.unpark(caller);
        }
      }
    }
  }

  private void awaitOthers() {
    if (spunUntilDone()) {
      return;
    }
    callerParked = true;
    while (unfinished.get() > 0) {
      LockSupport.park(this);
    }
    callerParked = false;
  }

  private boolean spunUntilDone() {
    long start = System.nanoTime();
    while (unfinished.get() > 0) {
      if (System.nanoTime() - start > SPIN_NANOS) {
        return false;
      }
      Thread.onSpinWait();
    }
    return true;
  }

  private @Nullable Worker workerOfThisThread() {
    return Thread.currentThread() instanceof Worker worker && worker.team() == this ? worker : null;
  }

  private final class Worker extends Thread {
    final Scratch scratch = new Scratch();
    volatile boolean parked;

    Worker(int index) {
      super("moe-cpu-" + index);
      setDaemon(true);
    }

    CpuThreads team() {
      return CpuThreads.this;
    }

    @Override
    public void run() {
      while (!closed) {
        work();
        awaitWork();
      }
    }

    private void awaitWork() {
      long start = System.nanoTime();
      while (unclaimed.get() <= 0 && !closed) {
        if (System.nanoTime() - start > SPIN_NANOS) {
          // parked is set before the last look at the counter, and the caller looks at them the
          // other way round: one of the two sees the other.
          parked = true;
          if (unclaimed.get() <= 0 && !closed) {
            LockSupport.park(CpuThreads.this);
          }
          parked = false;
          start = System.nanoTime();
        }
        Thread.onSpinWait();
      }
    }
  }
}
