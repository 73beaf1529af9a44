package moe.backend.opencl.kernel;

import com.aparapi.Kernel;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import moe.backend.opencl.driver.DriverException;
import moe.spi.error.MoeException;

/// The kernels that one stage or stream makes, with arguments of their own, released together.
/// Confined to one thread.
public final class Kernels implements AutoCloseable {
  /// What all kernels in OpenCL C begin with.
  private static final String COMMON = "common";

  private final Compute compute;
  private final List<Long> handles = new ArrayList<>();
  private final Arena memory = Arena.ofShared();

  public Kernels(Compute compute) {
    this.compute = compute;
  }

  /// The device.
  public Compute compute() {
    return compute;
  }

  /// A kernel from `file.cl` beside this class.
  ///
  /// @throws MoeException kind `DEVICE` if the driver cannot build it; the cause has the log
  public ClKernel kernel(String file, String function) {
    long handle = compute.create(file + ".cl", () -> source(COMMON) + source(file), function);
    handles.add(handle);
    return new ClKernel(compute, handle, memory);
  }

  /// A kernel from a class that Aparapi translates.
  JavaKernel translated(Kernel kernel) {
    Translation translation = Translation.of(kernel);
    String name = kernel.getClass().getSimpleName();
    long handle = compute.create(name, translation::source, Translation.FUNCTION);
    handles.add(handle);
    return new JavaKernel(new ClKernel(compute, handle, memory), translation);
  }

  @Override
  public void close() {
    try {
      handles.forEach(compute.driver()::releaseKernel);
    } catch (DriverException e) {
      throw compute.failure(e);
    } finally {
      handles.clear();
      if (memory.scope().isAlive()) {
        memory.close();
      }
    }
  }

  private static String source(String file) {
    try (InputStream in = Kernels.class.getResourceAsStream(file + ".cl")) {
      if (in == null) {
        throw new IllegalStateException("no kernel file " + file + ".cl");
      }
      return new String(in.readAllBytes(), StandardCharsets.UTF_8);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
