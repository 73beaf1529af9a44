package moe.backend.opencl.driver;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/// A driver without a device: it counts what is open, computes nothing, and fails where it is told
/// to.
public final class FakeDriver implements Driver {
  private final Map<String, Integer> failures = new HashMap<>();
  private final Map<Long, List<Long>> devices = new HashMap<>();
  private final Map<Long, Map<Integer, Long>> numbers = new HashMap<>();
  private final Map<Long, String> names = new HashMap<>();
  private final List<Long> platforms = new ArrayList<>();
  private final Set<Long> open = new HashSet<>();
  private long next = 100;

  /// A platform with this name.
  public long platform(String name) {
    long platform = next++;
    platforms.add(platform);
    devices.put(platform, new ArrayList<>());
    names.put(platform, name);
    return platform;
  }

  /// A device that can be used, of a type in `Parameter`.
  public long device(long platform, String name, int type) {
    long device = next++;
    devices.getOrDefault(platform, new ArrayList<>()).add(device);
    names.put(device, name);
    Map<Integer, Long> facts = new HashMap<>();
    facts.put(Parameter.DEVICE_TYPE, (long) type);
    facts.put(Parameter.AVAILABLE, 1L);
    facts.put(Parameter.COMPILER_AVAILABLE, 1L);
    facts.put(Parameter.ENDIAN_LITTLE, 1L);
    facts.put(Parameter.GLOBAL_MEMORY, 10_000L);
    facts.put(Parameter.MAX_ALLOCATION, 6000L);
    facts.put(Parameter.LOCAL_MEMORY, 1L << 16);
    facts.put(Parameter.MAX_WORK_GROUP_SIZE, 256L);
    facts.put(Parameter.MAX_COMPUTE_UNITS, 4L);
    facts.put(Parameter.NATIVE_VECTOR_FLOAT, 8L);
    numbers.put(device, facts);
    return device;
  }

  /// Changes what a device says of itself.
  public void number(long device, int parameter, long value) {
    numbers.getOrDefault(device, new HashMap<>()).put(parameter, value);
  }

  /// From now on this function returns this status.
  public void fail(String function, int status) {
    failures.put(function, status);
  }

  /// From now on nothing fails.
  public void recover() {
    failures.clear();
  }

  /// How many handles have not been released.
  public int open() {
    return open.size();
  }

  @Override
  public long[] platforms() {
    check("clGetPlatformIDs");
    return platforms.stream().mapToLong(Long::longValue).toArray();
  }

  @Override
  public String platformText(long platform, int parameter) {
    check("clGetPlatformInfo");
    return name(platform);
  }

  @Override
  public long[] devices(long platform) {
    check("clGetDeviceIDs");
    return devices.getOrDefault(platform, List.of()).stream().mapToLong(Long::longValue).toArray();
  }

  @Override
  public String deviceText(long device, int parameter) {
    check("clGetDeviceInfo");
    return switch (parameter) {
      case Parameter.DRIVER_VERSION -> "1.2";
      case Parameter.DEVICE_VERSION -> "OpenCL 3.0 Fake";
      default -> name(device);
    };
  }

  @Override
  public long deviceNumber(long device, int parameter) {
    check("clGetDeviceInfo");
    Long number = numbers.getOrDefault(device, Map.of()).get(parameter);
    if (number == null) { // as a driver of an older version
      throw new DriverException("clGetDeviceInfo", Status.INVALID_VALUE);
    }
    return number;
  }

  @Override
  public long createContext(long device) {
    return create("clCreateContext");
  }

  @Override
  public void releaseContext(long context) {
    release(context);
  }

  @Override
  public long createQueue(long context, long device) {
    return create("clCreateCommandQueue");
  }

  @Override
  public void releaseQueue(long queue) {
    release(queue);
  }

  @Override
  public long createBuffer(long context, long bytes, long shared) {
    return create("clCreateBuffer");
  }

  @Override
  public void releaseBuffer(long buffer) {
    release(buffer);
  }

  @Override
  public long allocateShared(long context, long bytes) {
    throw new IllegalStateException("a fake device shares no memory");
  }

  @Override
  public void freeShared(long context, long address) {
    throw new IllegalStateException("a fake device shares no memory");
  }

  @Override
  public long createProgram(long context, String source) {
    return create("clCreateProgramWithSource");
  }

  @Override
  public void buildProgram(long program, long device, String options) {
    Integer status = failures.get("clBuildProgram");
    if (status != null) {
      throw new DriverException("clBuildProgram", status, "line 3: no such thing as float17");
    }
  }

  @Override
  public void releaseProgram(long program) {
    release(program);
  }

  @Override
  public long createKernel(long program, String name) {
    return create("clCreateKernel");
  }

  @Override
  public void releaseKernel(long kernel) {
    release(kernel);
  }

  @Override
  public void setArgument(long kernel, int index, long bytes, long value) {
    check("clSetKernelArg");
  }

  @Override
  public void launch(long queue, long kernel, int dimensions, long global, long local) {
    check("clEnqueueNDRangeKernel");
  }

  @Override
  public void write(long queue, long buffer, long at, long bytes, long source) {
    check("clEnqueueWriteBuffer");
  }

  @Override
  public void read(long queue, long buffer, long at, long bytes, long target) {
    check("clEnqueueReadBuffer");
  }

  @Override
  public void copy(long queue, long source, long sourceAt, long target, long targetAt, long bytes) {
    check("clEnqueueCopyBuffer");
  }

  @Override
  public void zero(long queue, long buffer, long at, long bytes) {
    check("clEnqueueFillBuffer");
  }

  @Override
  public void flush(long queue) {
    check("clFlush");
  }

  @Override
  public void finish(long queue) {
    check("clFinish");
  }

  private String name(long handle) {
    @Nullable String name = names.get(handle);
    return name == null ? "" : name;
  }

  private long create(String function) {
    check(function);
    open.add(next);
    return next++;
  }

  private void release(long handle) {
    if (!open.remove(handle)) {
      throw new IllegalStateException("released twice, or never created");
    }
  }

  private void check(String function) {
    Integer status = failures.get(function);
    if (status != null) {
      throw new DriverException(function, status);
    }
  }
}
