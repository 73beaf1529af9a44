package moe.backend.opencl.kernel;

import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Supplier;
import moe.backend.opencl.driver.Driver;
import moe.backend.opencl.driver.DriverException;
import moe.backend.opencl.driver.FoundDevice;
import moe.spi.error.MoeException;

/// An open device: its context, and the programs built for it so far. Safe for use by several
/// threads.
public final class Compute implements AutoCloseable {
  private final Driver driver;
  private final FoundDevice device;
  private final Tuning tuning;
  private final long context;
  private final Map<String, Long> programs = new ConcurrentHashMap<>();
  private boolean closed;

  /// Opens the device.
  ///
  /// @throws MoeException kind `DEVICE` if it refuses
  public Compute(Driver driver, FoundDevice device) {
    this.driver = driver;
    this.device = device;
    this.tuning = Tuning.of(device);
    try {
      context = driver.createContext(device.handle());
    } catch (DriverException e) {
      throw Failures.of(device.name(), e);
    }
  }

  /// The driver's functions.
  public Driver driver() {
    return driver;
  }

  /// The device and its properties.
  public FoundDevice device() {
    return device;
  }

  /// The driver's handle of the context.
  public long context() {
    return context;
  }

  /// A new queue of work, in order.
  public WorkQueue newQueue() {
    try {
      return new WorkQueue(this, driver.createQueue(context, device.handle()));
    } catch (DriverException e) {
      throw failure(e);
    }
  }

  /// What the user reads about a failed function.
  public MoeException failure(DriverException e) {
    return Failures.of(device.name(), e);
  }

  /// Releases programs and context.
  @Override
  public synchronized void close() {
    if (!closed) {
      closed = true;
      programs.values().forEach(driver::releaseProgram);
      driver.releaseContext(context);
    }
  }

  Tuning tuning() {
    return tuning;
  }

  /// A kernel of a program, which is built once.
  long create(String file, Supplier<String> source, String function) {
    long program = programs.computeIfAbsent(file, _ -> build(file, source.get()));
    try {
      return driver.createKernel(program, function);
    } catch (DriverException e) {
      throw Failures.build(device.name(), file, e);
    }
  }

  private long build(String file, String source) {
    long program = 0;
    try {
      program = driver.createProgram(context, source);
      driver.buildProgram(program, device.handle(), tuning.options());
      return program;
    } catch (DriverException e) {
      if (program != 0) {
        driver.releaseProgram(program);
      }
      throw Failures.build(device.name(), file, e);
    }
  }
}
