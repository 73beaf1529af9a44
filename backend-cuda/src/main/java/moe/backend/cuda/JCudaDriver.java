package moe.backend.cuda;

import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import jcuda.driver.CUdevice;
import jcuda.driver.CUevent_flags;
import jcuda.driver.CUfunction_attribute;
import jcuda.driver.CUresult;
import org.jspecify.annotations.Nullable;

/// The driver through JCuda, and what is called many times a step through the foreign function API.
/// Creating it loads JCuda's native library, which needs the driver's.
final class JCudaDriver implements Driver {
  static final int OUT_OF_MEMORY = CUresult.CUDA_ERROR_OUT_OF_MEMORY;

  private final NativeCalls calls = new NativeCalls();

  @Override
  public int version() {
    check("cuInit", jcuda.driver.JCudaDriver.cuInit(0));
    int[] version = {0};
    check("cuDriverGetVersion", jcuda.driver.JCudaDriver.cuDriverGetVersion(version));
    return version[0];
  }

  @Override
  public int deviceCount() {
    int[] count = {0};
    check("cuDeviceGetCount", jcuda.driver.JCudaDriver.cuDeviceGetCount(count));
    return count[0];
  }

  @Override
  public String deviceName(int device) {
    byte[] name = new byte[256];
    check(
        "cuDeviceGetName",
        jcuda.driver.JCudaDriver.cuDeviceGetName(name, name.length, device(device)));
    int length = 0;
    while (length < name.length && name[length] != 0) {
      length++;
    }
    return new String(name, 0, length, StandardCharsets.UTF_8);
  }

  @Override
  public int attribute(DeviceAttribute attribute, int device) {
    int[] value = {0};
    check(
        "cuDeviceGetAttribute",
        jcuda.driver.JCudaDriver.cuDeviceGetAttribute(value, attribute.code(), device(device)));
    return value[0];
  }

  @Override
  public long memoryBytes(int device) {
    long[] bytes = {0};
    check("cuDeviceTotalMem", jcuda.driver.JCudaDriver.cuDeviceTotalMem(bytes, device(device)));
    return bytes[0];
  }

  @Override
  public Handle retainContext(int device) {
    JCudaObjects.Context context = new JCudaObjects.Context();
    check(
        "cuDevicePrimaryCtxRetain",
        jcuda.driver.JCudaDriver.cuDevicePrimaryCtxRetain(context, device(device)));
    makeCurrent(context);
    return context;
  }

  @Override
  public void makeCurrent(Handle context) {
    check(
        "cuCtxSetCurrent",
        jcuda.driver.JCudaDriver.cuCtxSetCurrent((JCudaObjects.Context) context));
  }

  @Override
  public void releaseContext(int device) {
    check(
        "cuDevicePrimaryCtxRelease",
        jcuda.driver.JCudaDriver.cuDevicePrimaryCtxRelease(device(device)));
  }

  @Override
  public Memory memory() {
    long[] free = {0};
    long[] total = {0};
    check("cuMemGetInfo", jcuda.driver.JCudaDriver.cuMemGetInfo(free, total));
    return new Memory(free[0], total[0]);
  }

  @Override
  public Handle loadModule(byte[] image) {
    JCudaObjects.Module module = new JCudaObjects.Module();
    check("cuModuleLoadData", jcuda.driver.JCudaDriver.cuModuleLoadData(module, image));
    return module;
  }

  @Override
  public void unloadModule(Handle module) {
    check("cuModuleUnload", jcuda.driver.JCudaDriver.cuModuleUnload((JCudaObjects.Module) module));
  }

  @Override
  public Handle function(Handle module, String name) {
    JCudaObjects.Function function = new JCudaObjects.Function();
    check(
        "cuModuleGetFunction " + name,
        jcuda.driver.JCudaDriver.cuModuleGetFunction(function, (JCudaObjects.Module) module, name));
    return function;
  }

  @Override
  public void allowSharedBytes(Handle function, int bytes) {
    check(
        "cuFuncSetAttribute",
        jcuda.driver.JCudaDriver.cuFuncSetAttribute(
            (JCudaObjects.Function) function,
            CUfunction_attribute.CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES,
            bytes));
  }

  @Override
  public @Nullable Handle allocate(long bytes) {
    JCudaObjects.Allocation allocation = new JCudaObjects.Allocation();
    int code = jcuda.driver.JCudaDriver.cuMemAlloc(allocation, bytes);
    if (code == OUT_OF_MEMORY) {
      return null;
    }
    check("cuMemAlloc", code);
    return allocation;
  }

  @Override
  public void free(Handle memory) {
    check("cuMemFree", jcuda.driver.JCudaDriver.cuMemFree((JCudaObjects.Allocation) memory));
  }

  @Override
  public Handle newStream() {
    JCudaObjects.Stream stream = new JCudaObjects.Stream();
    check("cuStreamCreate", jcuda.driver.JCudaDriver.cuStreamCreate(stream, 0));
    return stream;
  }

  @Override
  public void closeStream(Handle stream) {
    check(
        "cuStreamDestroy", jcuda.driver.JCudaDriver.cuStreamDestroy((JCudaObjects.Stream) stream));
  }

  @Override
  public void synchronize(Handle stream) {
    check(
        "cuStreamSynchronize",
        jcuda.driver.JCudaDriver.cuStreamSynchronize((JCudaObjects.Stream) stream));
  }

  @Override
  public void upload(MemorySegment source, long target, Handle stream) {
    check("cuMemcpyHtoDAsync", calls.upload(target, source, stream.address()));
  }

  @Override
  public void download(long source, MemorySegment target, Handle stream) {
    check("cuMemcpyDtoHAsync", calls.download(target, source, stream.address()));
    synchronize(stream);
  }

  @Override
  public void copy(long source, long target, long bytes, Handle stream) {
    check("cuMemcpyDtoDAsync", calls.copy(target, source, bytes, stream.address()));
  }

  @Override
  public void zero(long target, long bytes, Handle stream) {
    check("cuMemsetD8Async", calls.zero(target, bytes, stream.address()));
  }

  @Override
  public void launch(Handle function, Launch launch, Handle stream) {
    int code =
        launch.isDependent()
            ? calls.launchDependent(function.address(), launch, stream.address())
            : calls.launch(function.address(), launch, stream.address());
    if (code != CUresult.CUDA_SUCCESS) {
      check("launch of " + launch, code);
    }
  }

  @Override
  public void beginCapture(Handle stream) {
    JCudaGraphs.begin((JCudaObjects.Stream) stream);
  }

  @Override
  public @Nullable Handle endCapture(Handle stream) {
    return JCudaGraphs.end((JCudaObjects.Stream) stream);
  }

  @Override
  public void play(Handle captured, Handle stream) {
    check("cuGraphLaunch", calls.play(captured.address(), stream.address()));
  }

  @Override
  public void forget(Handle captured) {
    JCudaGraphs.forget(captured);
  }

  @Override
  public MemorySegment allocateHost(long bytes) {
    return calls.allocateHost(bytes, code -> check("cuMemAllocHost", code));
  }

  @Override
  public void freeHost(MemorySegment memory) {
    check("cuMemFreeHost", calls.freeHost(memory));
  }

  @Override
  public void downloadLater(long source, MemorySegment target, Handle stream) {
    check("cuMemcpyDtoHAsync", calls.download(target, source, stream.address()));
  }

  @Override
  public Handle newMark() {
    JCudaObjects.Event event = new JCudaObjects.Event();
    check(
        "cuEventCreate",
        jcuda.driver.JCudaDriver.cuEventCreate(event, CUevent_flags.CU_EVENT_DISABLE_TIMING));
    return event;
  }

  @Override
  public void mark(Handle mark, Handle stream) {
    check(
        "cuEventRecord",
        jcuda.driver.JCudaDriver.cuEventRecord(
            (JCudaObjects.Event) mark, (JCudaObjects.Stream) stream));
  }

  @Override
  public void await(Handle mark) {
    check(
        "cuEventSynchronize",
        jcuda.driver.JCudaDriver.cuEventSynchronize((JCudaObjects.Event) mark));
  }

  @Override
  public void closeMark(Handle mark) {
    check("cuEventDestroy", jcuda.driver.JCudaDriver.cuEventDestroy((JCudaObjects.Event) mark));
  }

  @Override
  public void describe(TensorMap map, MemorySegment target) {
    int code = calls.describe(map, target);
    if (code != CUresult.CUDA_SUCCESS) {
      check("cuTensorMapEncodeTiled of " + map, code);
    }
  }

  private static CUdevice device(int index) {
    CUdevice device = new CUdevice();
    check("cuDeviceGet", jcuda.driver.JCudaDriver.cuDeviceGet(device, index));
    return device;
  }

  /// Throws for any code but success.
  static void check(String call, int code) {
    if (code == CUresult.CUDA_SUCCESS) {
      return;
    }
    if (DriverError.isOfCapture(code)) {
      throw new NotRecordable(call);
    }
    String[] text = {""};
    var _ = jcuda.driver.JCudaDriver.cuGetErrorString(code, text);
    throw DriverError.of(call, code, CUresult.stringFor(code), text[0]);
  }
}
