package moe.backend.cuda;

import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Function;
import moe.spi.error.MoeException;

/// An open GPU: its context, and the kernels loaded into it. Safe for use by several threads.
final class Device implements AutoCloseable {
  private static final Logger LOG = System.getLogger("moe.backend.cuda");
  private static final int SHARED_WITHOUT_ASKING = 48 * 1024;

  private final Driver driver;
  private final int index;
  private final Driver.Handle context;
  private final int multiprocessors;
  private final boolean overlapsKernels;
  private final boolean hopper;
  private final Function<String, byte[]> images;
  private final Map<String, Driver.Handle> modules = new ConcurrentHashMap<>();
  private final Map<Kernel, Driver.Handle> functions = new ConcurrentHashMap<>();
  private final Map<Kernel, Integer> allowedShared = new ConcurrentHashMap<>();
  private final List<Driver.Handle> loaded = new CopyOnWriteArrayList<>();
  private final ThreadLocal<Boolean> entered = ThreadLocal.withInitial(() -> false);
  private volatile boolean closed;

  /// @param images the image of each name
  Device(Driver driver, int index, Function<String, byte[]> images) {
    this.driver = driver;
    this.index = index;
    this.images = images;
    this.context = driver.retainContext(index);
    this.multiprocessors = driver.attribute(DeviceAttribute.MULTIPROCESSORS, index);
    int major = driver.attribute(DeviceAttribute.CAPABILITY_MAJOR, index);
    this.overlapsKernels = major >= 9;
    this.hopper = major == 9;
  }

  int multiprocessors() {
    return multiprocessors;
  }

  /// Bytes of shared memory that a block may have on any device of this kind.
  int sharedBytes() {
    return overlapsKernels ? 227 << 10 : 99 << 10;
  }

  /// Whether a kernel can start before the one it depends on has ended.
  boolean overlapsKernels() {
    return overlapsKernels;
  }

  /// Whether kernels for compute capability 9.0 alone run here.
  boolean isHopper() {
    return hopper;
  }

  /// The driver, with this device's context made the calling thread's.
  Driver driver() {
    if (closed) {
      throw new IllegalStateException("the CUDA backend is closed");
    }
    if (!entered.get()) {
      driver.makeCurrent(context);
      entered.set(true);
    }
    return driver;
  }

  /// Issues a call.
  void launch(Kernel kernel, Launch launch, Driver.Handle stream) {
    Driver current = driver();
    Driver.Handle function = functions.get(kernel);
    if (function == null) {
      function = find(kernel);
    }
    int shared = launch.sharedBytes();
    if (shared > SHARED_WITHOUT_ASKING && shared > allowedShared.getOrDefault(kernel, 0)) {
      current.allowSharedBytes(function, shared);
      allowedShared.put(kernel, shared);
    }
    current.launch(function, launch, stream);
  }

  private synchronized Driver.Handle find(Kernel kernel) {
    Driver.Handle module = modules.get(kernel.image());
    if (module == null) {
      module = driver.loadModule(images.apply(kernel.image()));
      modules.put(kernel.image(), module);
      loaded.add(module);
    }
    Driver.Handle function = driver.function(module, kernel.name());
    functions.put(kernel, function);
    return function;
  }

  /// Gives something back. A driver that refuses, as it does once a kernel has failed, is logged
  /// and no error: it must not hide the one that came before.
  void release(String what, Runnable action) {
    try {
      action.run();
    } catch (MoeException e) {
      LOG.log(Level.DEBUG, "giving back {0}: {1}", what, e.getMessage());
    }
  }

  @Override
  public void close() {
    if (closed) {
      return;
    }
    Driver open = driver();
    loaded.forEach(module -> release("a module", () -> open.unloadModule(module)));
    release("the context", () -> open.releaseContext(index));
    closed = true;
    entered.remove();
  }
}
