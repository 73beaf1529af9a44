package moe.backend.opencl.kernel;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import moe.backend.opencl.driver.Driver;
import moe.backend.opencl.driver.DriverException;

/// An in-order queue of a device, confined to one thread at a time.
public final class WorkQueue implements AutoCloseable {
  /// Memory of the Java heap goes through native memory in pieces of this size.
  private static final long STAGING_BYTES = 1 << 22;

  private final Compute compute;
  private final Driver driver;
  private final long handle;
  private final Arena arena = Arena.ofShared();
  private final MemorySegment staging = arena.allocate(STAGING_BYTES, 64);
  private boolean closed;

  WorkQueue(Compute compute, long handle) {
    this.compute = compute;
    this.driver = compute.driver();
    this.handle = handle;
  }

  void launch(long kernel, int dimensions, long global, long local) {
    try {
      driver.launch(handle, kernel, dimensions, global, local);
    } catch (DriverException e) {
      throw compute.failure(e);
    }
  }

  /// Copies host memory to byte `at` of a buffer; the memory may be reused when this returns.
  public void write(MemorySegment source, long buffer, long at) {
    try {
      if (source.isNative() && source.byteSize() > 0) {
        driver.write(handle, buffer, at, source.byteSize(), source.address());
        return;
      }
      for (long done = 0; done < source.byteSize(); done += STAGING_BYTES) {
        long bytes = Math.min(STAGING_BYTES, source.byteSize() - done);
        MemorySegment.copy(source, done, staging, 0, bytes);
        driver.write(handle, buffer, at + done, bytes, staging.address());
      }
    } catch (DriverException e) {
      throw compute.failure(e);
    }
  }

  /// Copies from byte `at` of a buffer to host memory, after all work before.
  public void read(long buffer, long at, MemorySegment target) {
    try {
      if (target.isNative() && target.byteSize() > 0) {
        driver.read(handle, buffer, at, target.byteSize(), target.address());
        return;
      }
      for (long done = 0; done < target.byteSize(); done += STAGING_BYTES) {
        long bytes = Math.min(STAGING_BYTES, target.byteSize() - done);
        driver.read(handle, buffer, at + done, bytes, staging.address());
        MemorySegment.copy(staging, 0, target, done, bytes);
      }
    } catch (DriverException e) {
      throw compute.failure(e);
    }
  }

  /// Copies bytes from one buffer to another.
  public void copy(long source, long sourceAt, long target, long targetAt, long bytes) {
    if (bytes > 0) {
      try {
        driver.copy(handle, source, sourceAt, target, targetAt, bytes);
      } catch (DriverException e) {
        throw compute.failure(e);
      }
    }
  }

  /// Sets bytes of a buffer to zero.
  public void zero(long buffer, long at, long bytes) {
    if (bytes > 0) {
      try {
        driver.zero(handle, buffer, at, bytes);
      } catch (DriverException e) {
        throw compute.failure(e);
      }
    }
  }

  /// Sets a new buffer to zero, and waits.
  ///
  /// @throws DriverException as the driver has it, for who knows what the buffer is for
  public synchronized void zeroNow(long buffer, long bytes) {
    driver.zero(handle, buffer, 0, bytes);
    driver.finish(handle);
  }

  /// Waits until all work is done.
  public void finish() {
    try {
      driver.finish(handle);
    } catch (DriverException e) {
      throw compute.failure(e);
    }
  }

  /// Waits for the work, as far as the device still lives, and releases the queue.
  @Override
  public void close() {
    if (closed) {
      return;
    }
    closed = true;
    try {
      driver.releaseQueue(handle);
    } catch (DriverException e) {
      throw compute.failure(e);
    } finally {
      arena.close();
    }
  }
}
