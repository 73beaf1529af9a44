package moe.backend.opencl.driver;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.function.LongFunction;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/// The driver of this machine, called through Java's foreign functions. Pointers and `size_t` are
/// `long`: the machines that run this engine have 64 bits.
public final class NativeDriver extends NativeCommands {
  private static final int BUILD_LOG = 0x1183;
  private static final long ALL_TYPES = 0xFFFF_FFFFL;
  private static final long READ_WRITE = 1;
  private static final long USE_HOST_PTR = 1 << 3;
  private static final long FINE_GRAIN = 1 << 10;

  /// The largest element of OpenCL C, `long16`.
  private static final int SHARED_ALIGNMENT = 128;

  private final Library library;

  private NativeDriver(Library library) {
    super(library);
    this.library = library;
  }

  /// The driver, or null if this machine has no OpenCL library.
  public static @Nullable NativeDriver find() {
    Library library = Library.find();
    return library == null ? null : new NativeDriver(library);
  }

  /// The names under which the library is looked for.
  public static String libraryNames() {
    return Library.names();
  }

  @Override
  public long[] platforms() {
    return list("clGetPlatformIDs");
  }

  @Override
  public String platformText(long platform, int parameter) {
    return text("clGetPlatformInfo", platform, parameter);
  }

  @Override
  public long[] devices(long platform) {
    try {
      return list("clGetDeviceIDs", platform, ALL_TYPES);
    } catch (DriverException e) {
      if (e.status() == Status.DEVICE_NOT_FOUND) {
        return new long[0];
      }
      throw e;
    }
  }

  @Override
  public String deviceText(long device, int parameter) {
    return text("clGetDeviceInfo", device, parameter);
  }

  @Override
  public long deviceNumber(long device, int parameter) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment value = arena.allocate(JAVA_LONG); // zeros: a smaller number fills its low end
      status("clGetDeviceInfo", device, parameter, JAVA_LONG.byteSize(), value.address(), 0L);
      return value.get(JAVA_LONG, 0);
    }
  }

  @Override
  public long createContext(long device) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment one = arena.allocateFrom(JAVA_LONG, device);
      return created(
          "clCreateContext", status -> new Object[] {0L, 1, one.address(), 0L, 0L, status});
    }
  }

  @Override
  public void releaseContext(long context) {
    status("clReleaseContext", context);
  }

  @Override
  public long createQueue(long context, long device) {
    return created("clCreateCommandQueue", status -> new Object[] {context, device, 0L, status});
  }

  @Override
  public void releaseQueue(long queue) {
    status("clReleaseCommandQueue", queue);
  }

  @Override
  public long createBuffer(long context, long bytes, long shared) {
    long flags = shared == 0 ? READ_WRITE : READ_WRITE | USE_HOST_PTR;
    return created(
        "clCreateBuffer", status -> new Object[] {context, flags, bytes, shared, status});
  }

  @Override
  public void releaseBuffer(long buffer) {
    status("clReleaseMemObject", buffer);
  }

  @Override
  public long allocateShared(long context, long bytes) {
    Object address =
        library.call(
            "clSVMAlloc", JAVA_LONG, context, READ_WRITE | FINE_GRAIN, bytes, SHARED_ALIGNMENT);
    return address instanceof Long at ? at : 0;
  }

  @Override
  public void freeShared(long context, long address) {
    var _ = library.call("clSVMFree", null, context, address);
  }

  @Override
  public long createProgram(long context, String source) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment text = arena.allocateFrom(source);
      MemorySegment texts = arena.allocateFrom(JAVA_LONG, text.address());
      return created(
          "clCreateProgramWithSource",
          status -> new Object[] {context, 1, texts.address(), 0L, status});
    }
  }

  @Override
  public void buildProgram(long program, long device, String options) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment one = arena.allocateFrom(JAVA_LONG, device);
      MemorySegment text = arena.allocateFrom(options);
      status("clBuildProgram", program, 1, one.address(), text.address(), 0L, 0L);
    } catch (DriverException e) {
      throw new DriverException(
          e.function(), e.status(), text("clGetProgramBuildInfo", program, device, BUILD_LOG));
    }
  }

  @Override
  public void releaseProgram(long program) {
    status("clReleaseProgram", program);
  }

  @Override
  public long createKernel(long program, String name) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment text = arena.allocateFrom(name);
      return created("clCreateKernel", status -> new Object[] {program, text.address(), status});
    }
  }

  @Override
  public void releaseKernel(long kernel) {
    status("clReleaseKernel", kernel);
  }

  private long[] list(String function, Object... first) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment count = arena.allocate(JAVA_INT);
      status(function, with(first, 0, 0L, count.address()));
      int n = count.get(JAVA_INT, 0);
      MemorySegment handles = arena.allocate(JAVA_LONG, n);
      status(function, with(first, n, handles.address(), 0L));
      return handles.toArray(JAVA_LONG);
    }
  }

  private String text(String function, long subject, Object... more) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment size = arena.allocate(JAVA_LONG);
      Object[] first = with(new Object[] {subject}, more);
      status(function, with(first, 0L, 0L, size.address()));
      long bytes = size.get(JAVA_LONG, 0);
      MemorySegment text = arena.allocate(bytes);
      status(function, with(first, bytes, text.address(), 0L));
      String all = new String(text.toArray(JAVA_BYTE), StandardCharsets.UTF_8);
      int end = all.indexOf('\0');
      return (end < 0 ? all : all.substring(0, end)).strip();
    }
  }

  /// Calls a function that returns a handle and writes a status where its last argument points.
  private long created(String function, LongFunction<Object[]> arguments) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment status = arena.allocate(JAVA_INT);
      Object handle = library.call(function, JAVA_LONG, arguments.apply(status.address()));
      Library.check(function, status.get(JAVA_INT, 0));
      return handle instanceof Long created ? created : 0;
    }
  }

  private void status(String function, Object... arguments) {
    if (library.call(function, JAVA_INT, arguments) instanceof Integer status) {
      Library.check(function, status);
    }
  }

  private static Object[] with(Object[] first, Object... then) {
    return Stream.concat(Arrays.stream(first), Arrays.stream(then)).toArray();
  }
}
