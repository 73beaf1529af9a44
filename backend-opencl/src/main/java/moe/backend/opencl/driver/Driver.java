package moe.backend.opencl.driver;

/// The OpenCL functions that the backend calls, one method each. Handles and addresses are plain
/// numbers, as C has them; sizes are bytes.
///
/// Every method throws `DriverException` where OpenCL returns a status other than success. Safe for
/// use by several threads, except the methods of one kernel.
public interface Driver {
  /// `clGetPlatformIDs`.
  long[] platforms();

  /// `clGetPlatformInfo` for a text.
  String platformText(long platform, int parameter);

  /// `clGetDeviceIDs` for devices of every type; empty if the platform has none.
  long[] devices(long platform);

  /// `clGetDeviceInfo` for a text.
  String deviceText(long device, int parameter);

  /// `clGetDeviceInfo` for a number of 1 to 8 bytes.
  long deviceNumber(long device, int parameter);

  /// `clCreateContext` with one device.
  long createContext(long device);

  /// `clReleaseContext`.
  void releaseContext(long context);

  /// `clCreateCommandQueue`, in order, without profiling.
  long createQueue(long context, long device);

  /// `clReleaseCommandQueue`.
  void releaseQueue(long queue);

  /// `clCreateBuffer`, for reading and writing.
  ///
  /// @param shared memory from `allocateShared` to use as it is, or 0
  long createBuffer(long context, long bytes, long shared);

  /// `clReleaseMemObject`.
  void releaseBuffer(long buffer);

  /// `clSVMAlloc`, fine-grained: memory that host and device see at once.
  ///
  /// @return its address, or 0 if there is no room
  long allocateShared(long context, long bytes);

  /// `clSVMFree`.
  void freeShared(long context, long address);

  /// `clCreateProgramWithSource`.
  long createProgram(long context, String source);

  /// `clBuildProgram`; the exception's detail is the build log.
  void buildProgram(long program, long device, String options);

  /// `clReleaseProgram`.
  void releaseProgram(long program);

  /// `clCreateKernel`.
  long createKernel(long program, String name);

  /// `clReleaseKernel`.
  void releaseKernel(long kernel);

  /// `clSetKernelArg`.
  ///
  /// @param value address of the argument's bytes; 0 for local memory
  void setArgument(long kernel, int index, long bytes, long value);

  /// `clEnqueueNDRangeKernel`.
  ///
  /// @param dimensions 1 to 3
  /// @param global address of so many `size_t`: work-items
  /// @param local address of so many `size_t`: work-items of a group
  void launch(long queue, long kernel, int dimensions, long global, long local);

  /// `clEnqueueWriteBuffer`, blocking.
  void write(long queue, long buffer, long at, long bytes, long source);

  /// `clEnqueueReadBuffer`, blocking.
  void read(long queue, long buffer, long at, long bytes, long target);

  /// `clEnqueueCopyBuffer`.
  void copy(long queue, long source, long sourceAt, long target, long targetAt, long bytes);

  /// `clEnqueueFillBuffer` with 4 bytes of zeros.
  void zero(long queue, long buffer, long at, long bytes);

  /// `clFlush`.
  void flush(long queue);

  /// `clFinish`.
  void finish(long queue);
}
