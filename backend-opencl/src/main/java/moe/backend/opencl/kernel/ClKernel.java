package moe.backend.opencl.kernel;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import moe.backend.opencl.driver.DriverException;
import moe.spi.device.Activation;
import org.jspecify.annotations.Nullable;

/// A kernel and its arguments, confined to one thread as these are. Arguments are given in the
/// order of the source, after `begin`; then one of the launches queues the work.
///
/// Setting arguments and launching leave no garbage.
public final class ClKernel {
  private static final long SIZES_AT = 8;

  private final Compute compute;
  private final long handle;

  /// An argument's value, then global and local sizes: three `size_t` each.
  private final MemorySegment scratch;

  private int next;

  /// @param memory as old as the kernel
  ClKernel(Compute compute, long handle, Arena memory) {
    this.compute = compute;
    this.handle = handle;
    scratch = memory.allocate(7 * JAVA_LONG.byteSize(), 8);
  }

  /// Starts with the first argument again.
  public ClKernel begin() {
    next = 0;
    return this;
  }

  /// Two arguments: a buffer, and the element from which on it is meant. Null is a null pointer.
  public ClKernel region(@Nullable Region region) {
    return handle(region == null ? 0 : region.buffer()).size(region == null ? 0 : region.at());
  }

  /// A buffer.
  ClKernel handle(long buffer) {
    scratch.set(JAVA_LONG, 0, buffer);
    return set(JAVA_LONG.byteSize());
  }

  /// A `long`.
  public ClKernel size(long value) {
    scratch.set(JAVA_LONG, 0, value);
    return set(JAVA_LONG.byteSize());
  }

  /// An `int`.
  public ClKernel whole(int value) {
    scratch.set(JAVA_INT, 0, value);
    return set(JAVA_INT.byteSize());
  }

  /// A function, by the number that `common.cl` gives it.
  public ClKernel activation(Activation activation) {
    return whole(
        switch (activation) {
          case NONE -> 0;
          case GELU -> 1;
          case SILU -> 2;
          case RELU -> 3;
        });
  }

  /// A `float`.
  public ClKernel number(float value) {
    scratch.set(JAVA_FLOAT, 0, value);
    return set(JAVA_FLOAT.byteSize());
  }

  /// Goes to an argument out of order.
  ClKernel at(int index) {
    next = index;
    return this;
  }

  /// Queues at least `n` independent work-items; the kernel must leave out those beyond.
  public void items(WorkQueue queue, long n) {
    int local = compute.tuning().itemsOfGroup();
    launch(queue, Math.ceilDiv(n, local) * local, 1, local, 1);
  }

  /// Queues `n` groups, one for each row.
  public void rows(WorkQueue queue, long n) {
    int local = compute.tuning().group();
    launch(queue, n * local, 1, local, 1);
  }

  /// Queues a work-item for each step of a row of `width` elements; the kernel must leave out those
  /// beyond.
  public void columns(WorkQueue queue, int width) {
    apart(queue, Math.ceilDiv(width, compute.tuning().width()));
  }

  /// Queues a work-item for each stretch of `n` elements; the kernel must leave out those beyond.
  public void elements(WorkQueue queue, long n) {
    apart(queue, Math.ceilDiv(n, (long) compute.tuning().stretch()));
  }

  /// A processor takes work-items with much to do one by one, so that all its cores get some.
  private void apart(WorkQueue queue, long n) {
    if (compute.tuning().processor()) {
      launch(queue, n, 1, 1, 1);
    } else {
      items(queue, n);
    }
  }

  /// Queues at least `columns × rows` independent work-items; the kernel must leave out those
  /// beyond.
  void table(WorkQueue queue, int columns, long rows) {
    int local = compute.tuning().itemsOfRow();
    launch(queue, (long) Math.ceilDiv(columns, local) * local, rows, local, 1);
  }

  /// Queues `columns × rows` groups of one work-item.
  void grid(WorkQueue queue, long columns, long rows) {
    launch(queue, columns, rows, 1, 1);
  }

  /// Queues `global0 × global1` work-items in groups of `local0 × local1`; nothing if there are
  /// none.
  void launch(WorkQueue queue, long global0, long global1, long local0, long local1) {
    if (global0 == 0 || global1 == 0) {
      return;
    }
    scratch.set(JAVA_LONG, SIZES_AT, global0);
    scratch.set(JAVA_LONG, SIZES_AT + 8, global1);
    scratch.set(JAVA_LONG, SIZES_AT + 24, local0);
    scratch.set(JAVA_LONG, SIZES_AT + 32, local1);
    long sizes = scratch.address() + SIZES_AT;
    queue.launch(handle, global1 == 1 && local1 == 1 ? 1 : 2, sizes, sizes + 24);
  }

  private ClKernel set(long bytes) {
    try {
      compute.driver().setArgument(handle, next++, bytes, scratch.address());
    } catch (DriverException e) {
      throw compute.failure(e);
    }
    return this;
  }
}
