package moe.backend.cuda;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
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
  }

  private void requireNoCapture() {
    if (capture != null) {
      throw DriverError.of("a call", 900, "CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED", "capturing");
    }
  }

  private record Captured(long address, List<Runnable> work) implements Handle {}

  private void issue(Runnable work) {
    if (capture == null) {
      work.run();
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
      work.forEach(Runnable::run);
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
    download(source, target, stream);
  }

  @Override
  public void upload(MemorySegment source, long target, Handle stream) {
    requireNoCapture();
    at(target, source.byteSize()).copyFrom(source);
  }

  @Override
  public void download(long source, MemorySegment target, Handle stream) {
    requireNoCapture();
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
    Launch call = capture == null ? launch : copy(launch);
    issue(() -> {
      calls.add(call.toString());
      kernels.accept(call);
    });
  }

  /// A stream fills its one call again and again; what is captured needs its own.
  @SuppressWarnings("NullAway") // a copy is read here and never issued: it needs no device
  private Launch copy(Launch call) {
    Kernel kernel = Objects.requireNonNull(call.kernel());
    Launch copy = new Launch(null, null, arena);
    copy.of(kernel, call.block(0), call.grid(0), call.grid(1), call.grid(2))
        .blockRows(call.block(1))
        .shared(call.sharedBytes());
    for (int i = 0; i < call.kinds().length(); i++) {
      MemorySegment value = argument(call, i);
      switch (call.kinds().charAt(i)) {
        case 'p' -> copy.address(value.get(ValueLayout.JAVA_LONG, 0));
        case 'l' -> copy.wide(value.get(ValueLayout.JAVA_LONG, 0));
        case 'i' -> copy.number(value.get(ValueLayout.JAVA_INT, 0));
        case 'f' -> copy.real(value.get(ValueLayout.JAVA_FLOAT, 0));
        case 'm' -> copy.nextMap().copyFrom(value);
        case 'd' -> copy.exact(value.get(ValueLayout.JAVA_DOUBLE, 0));
        default -> {
          copy.pointers();
          argument(copy, i).copyFrom(value);
        }
      }
    }
    return copy;
  }

  private static MemorySegment argument(Launch call, int index) {
    return call.arguments()
        .reinterpret((index + 1L) * Long.BYTES)
        .getAtIndex(ValueLayout.ADDRESS, index)
        .reinterpret(
            switch (call.kinds().charAt(index)) {
              case 's' -> 256;
              case 'm' -> TensorMap.BYTES;
              default -> Long.BYTES;
            });
  }

  private static MemorySegment at(long address, long bytes) {
    return MemorySegment.ofAddress(address).reinterpret(bytes);
  }
}
