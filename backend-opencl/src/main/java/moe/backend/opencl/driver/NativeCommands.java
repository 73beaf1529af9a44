package moe.backend.opencl.driver;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;

/// The functions that are called for every kernel: each through a handle of its own, so that a call
/// leaves no garbage.
abstract sealed class NativeCommands implements Driver permits NativeDriver {
  private final MethodHandle setArgument;
  private final MethodHandle launch;
  private final MethodHandle write;
  private final MethodHandle read;
  private final MethodHandle copy;
  private final MethodHandle fill;
  private final MethodHandle flush;
  private final MethodHandle finish;

  /// What a buffer is filled with.
  private final MemorySegment zero = Arena.global().allocate(JAVA_INT);

  NativeCommands(Library library) {
    MemoryLayout[] transfer = {
      JAVA_LONG, JAVA_LONG, JAVA_INT, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_INT, JAVA_LONG,
      JAVA_LONG
    };
    setArgument = library.function("clSetKernelArg", JAVA_LONG, JAVA_INT, JAVA_LONG, JAVA_LONG);
    launch =
        library.function(
            "clEnqueueNDRangeKernel",
            JAVA_LONG,
            JAVA_LONG,
            JAVA_INT,
            JAVA_LONG,
            JAVA_LONG,
            JAVA_LONG,
            JAVA_INT,
            JAVA_LONG,
            JAVA_LONG);
    write = library.function("clEnqueueWriteBuffer", transfer);
    read = library.function("clEnqueueReadBuffer", transfer);
    copy =
        library.function(
            "clEnqueueCopyBuffer",
            JAVA_LONG,
            JAVA_LONG,
            JAVA_LONG,
            JAVA_LONG,
            JAVA_LONG,
            JAVA_LONG,
            JAVA_INT,
            JAVA_LONG,
            JAVA_LONG);
    fill =
        library.function(
            "clEnqueueFillBuffer",
            JAVA_LONG,
            JAVA_LONG,
            JAVA_LONG,
            JAVA_LONG,
            JAVA_LONG,
            JAVA_LONG,
            JAVA_INT,
            JAVA_LONG,
            JAVA_LONG);
    flush = library.function("clFlush", JAVA_LONG);
    finish = library.function("clFinish", JAVA_LONG);
  }

  @Override
  public void setArgument(long kernel, int index, long bytes, long value) {
    try {
      Library.check("clSetKernelArg", (int) setArgument.invokeExact(kernel, index, bytes, value));
    } catch (Throwable t) {
      throw Library.passOn(t);
    }
  }

  @Override
  public void launch(long queue, long kernel, int dimensions, long global, long local) {
    try {
      Library.check(
          "clEnqueueNDRangeKernel",
          (int) launch.invokeExact(queue, kernel, dimensions, 0L, global, local, 0, 0L, 0L));
    } catch (Throwable t) {
      throw Library.passOn(t);
    }
  }

  @Override
  public void write(long queue, long buffer, long at, long bytes, long source) {
    try {
      Library.check(
          "clEnqueueWriteBuffer",
          (int) write.invokeExact(queue, buffer, 1, at, bytes, source, 0, 0L, 0L));
    } catch (Throwable t) {
      throw Library.passOn(t);
    }
  }

  @Override
  public void read(long queue, long buffer, long at, long bytes, long target) {
    try {
      Library.check(
          "clEnqueueReadBuffer",
          (int) read.invokeExact(queue, buffer, 1, at, bytes, target, 0, 0L, 0L));
    } catch (Throwable t) {
      throw Library.passOn(t);
    }
  }

  @Override
  public void copy(long queue, long source, long sourceAt, long target, long targetAt, long bytes) {
    try {
      Library.check(
          "clEnqueueCopyBuffer",
          (int) copy.invokeExact(queue, source, target, sourceAt, targetAt, bytes, 0, 0L, 0L));
    } catch (Throwable t) {
      throw Library.passOn(t);
    }
  }

  @Override
  public void zero(long queue, long buffer, long at, long bytes) {
    try {
      Library.check(
          "clEnqueueFillBuffer",
          (int)
              fill.invokeExact(
                  queue, buffer, zero.address(), JAVA_INT.byteSize(), at, bytes, 0, 0L, 0L));
    } catch (Throwable t) {
      throw Library.passOn(t);
    }
  }

  @Override
  public void flush(long queue) {
    try {
      Library.check("clFlush", (int) flush.invokeExact(queue));
    } catch (Throwable t) {
      throw Library.passOn(t);
    }
  }

  @Override
  public void finish(long queue) {
    try {
      Library.check("clFinish", (int) finish.invokeExact(queue));
    } catch (Throwable t) {
      throw Library.passOn(t);
    }
  }
}
