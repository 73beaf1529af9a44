package moe.backend.cuda;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/// A driver whose device memory is the host's. It holds every call to what its kernel's source
/// declares, then hands it on.
@SuppressWarnings("restricted") // memory and code outside Java are what it is for
class HostDriver implements Driver {
  private static final Map<String, String> SIGNATURES = KernelSources.signatures();

  /// All calls since the beginning, as `Launch.toString` writes them.
  final List<String> calls = new ArrayList<>();

  /// What is open: memory, streams, modules and contexts.
  final Map<Handle, Object> open = new ConcurrentHashMap<>();

  private final Consumer<Launch> kernels;
  private final Arena arena = Arena.ofAuto();
  private @Nullable List<Runnable> capture;

  /// @param kernels does what a call asks for
  HostDriver(Consumer<Launch> kernels) {
    this.kernels = kernels;
  }

  private record Numbered(long address) implements Handle {}

  private Handle handle(Object what) {
    Handle handle =
        new Handle() {
          @Override
          public long address() {
            return 1;
          }
        };
    open.put(handle, what);
    return handle;
  }

  @Override
  public int version() {
    return 13000;
  }

  @Override
  public int deviceCount() {
    return 1;
  }

  @Override
  public String deviceName(int device) {
    return "Emulated GPU";
  }

  @Override
  public int attribute(DeviceAttribute attribute, int device) {
    return switch (attribute) {
      case MULTIPROCESSORS -> 4;
      case CAPABILITY_MAJOR -> 8;
      case CAPABILITY_MINOR -> 0;
    };
  }

  @Override
  public long memoryBytes(int device) {
    return 1L << 30;
  }

  @Override
  public Handle retainContext(int device) {
    return handle("context");
  }

  @Override
  public void makeCurrent(Handle context) {}

  @Override
  public void releaseContext(int device) {
    open.values().remove("context");
  }

  @Override
  public Memory memory() {
    return new Memory(1L << 29, 1L << 30);
  }

  @Override
  public Handle loadModule(byte[] image) {
    return handle("module");
  }

  @Override
  public void unloadModule(Handle module) {
    open.remove(module);
  }

  @Override
  public Handle function(Handle module, String name) {
    if (!SIGNATURES.containsKey(name)) {
      throw new AssertionError("no source declares a kernel " + name);
    }
    return new Numbered(2);
  }

  @Override
  public void allowSharedBytes(Handle function, int bytes) {}

  @SuppressWarnings("MustBeClosed") // until free
  @Override
  public @Nullable Handle allocate(long bytes) {
    Arena arena = Arena.ofShared();
    MemorySegment memory = arena.allocate(bytes, 256).fill((byte) 0xff); // NaN
    Numbered handle = new Numbered(memory.address());
    open.put(handle, arena);
    return handle;
  }

  @Override
  public void free(Handle memory) {
    finish();
    if (open.remove(memory) instanceof Arena arena) {
      arena.close();
    } else {
      throw new AssertionError("this memory is not open");
    }
  }

  @Override
  public Handle newStream() {
    return handle("stream");
  }

  @Override
  public void closeStream(Handle stream) {
    open.remove(stream);
  }

  @Override
  public void synchronize(Handle stream) {
    requireNoCapture();
    finish();
  }

  /// Does what was issued.
  void now(Runnable work) {
    work.run();
  }

  /// Whether `now` does it later, so that calls have to be copied.
  boolean defers() {
    return false;
  }

  /// Ends all that was issued.
  void finish() {}

  private void requireNoCapture() {
    if (capture != null) {
      throw DriverError.of("a call", 900, "CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED", "capturing");
    }
  }

  private record Captured(long address, List<Runnable> work) implements Handle {}

  private void issue(Runnable work) {
    if (capture == null) {
      now(work);
    } else {
      capture.add(work);
    }
  }

  @Override
  public void beginCapture(Handle stream) {
    requireNoCapture();
    capture = new ArrayList<>();
  }

  @Override
  public @Nullable Handle endCapture(Handle stream) {
    List<Runnable> work = capture;
    capture = null;
    if (work == null) {
      throw new AssertionError("nothing is captured");
    }
    Handle captured = new Captured(3, work);
    open.put(captured, "graph");
    return captured;
  }

  @Override
  public void play(Handle captured, Handle stream) {
    if (captured instanceof Captured(var _, List<Runnable> work) && open.containsKey(captured)) {
      now(() -> work.forEach(Runnable::run));
    } else {
      throw new AssertionError("no open graph");
    }
  }

  @Override
  public void forget(Handle captured) {
    open.remove(captured);
  }

  @Override
  public MemorySegment allocateHost(long bytes) {
    return arena.allocate(bytes, 64);
  }

  @Override
  public void freeHost(MemorySegment memory) {}

  @Override
  public void downloadLater(long source, MemorySegment target, Handle stream) {
    requireNoCapture();
    now(() -> target.copyFrom(at(source, target.byteSize())));
  }

  @Override
  public Handle newMark() {
    return handle("mark");
  }

  @Override
  public void mark(Handle mark, Handle stream) {
    requireNoCapture();
  }

  @Override
  public void await(Handle mark) {
    finish();
  }

  @Override
  public void closeMark(Handle mark) {
    open.remove(mark);
  }

  @Override
  public void upload(MemorySegment source, long target, Handle stream) {
    requireNoCapture();
    MemorySegment taken = MemorySegment.ofArray(source.toArray(ValueLayout.JAVA_BYTE));
    now(() -> at(target, taken.byteSize()).copyFrom(taken));
  }

  @Override
  public void download(long source, MemorySegment target, Handle stream) {
    requireNoCapture();
    finish();
    target.copyFrom(at(source, target.byteSize()));
  }

  @Override
  public void copy(long source, long target, long bytes, Handle stream) {
    issue(() -> at(target, bytes).copyFrom(at(source, bytes)));
  }

  @Override
  public void zero(long target, long bytes, Handle stream) {
    issue(() -> at(target, bytes).fill((byte) 0));
  }

  @Override
  public void describe(TensorMap map, MemorySegment target) {
    HopperKernels.Map.write(map, target);
  }

  @Override
  public void launch(Handle function, Launch launch, Handle stream) {
    Kernel kernel = launch.kernel();
    String declared = kernel == null ? null : SIGNATURES.get(kernel.name());
    if (!launch.kinds().equals(declared)) {
      throw new AssertionError(
          "%s: arguments %s, its source declares %s".formatted(launch, launch.kinds(), declared));
    }
    if (launch.grid(1) > 65535
        || launch.grid(2) > 65535
        || launch.block(0) * launch.block(1) > 1024) {
      throw new AssertionError(launch + ": no device takes this shape");
    }
    Launch call = capture == null && !defers() ? launch : LaunchCopy.of(launch);
    issue(() -> {
      calls.add(call.toString());
      kernels.accept(call);
    });
  }

  private static MemorySegment at(long address, long bytes) {
    return MemorySegment.ofAddress(address).reinterpret(bytes);
  }
}
