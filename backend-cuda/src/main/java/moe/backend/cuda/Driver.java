package moe.backend.cuda;

import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;

/// What this backend uses of the CUDA driver.
///
/// Every method throws `MoeException` of kind `DEVICE` with the call, the error's name and its text
/// if the driver refuses. Host memory is native. Addresses are the device's. Work on a stream is
/// asynchronous, so an error may belong to an earlier call.
interface Driver {
  /// An object of the driver.
  interface Handle {
    /// The driver's pointer to it; for memory its address on the device.
    long address();
  }

  /// Free and total bytes of a device.
  record Memory(long free, long total) {}

  /// Initialises the driver; the newest CUDA it supports, 13010 for 13.1.
  int version();

  int deviceCount();

  String deviceName(int device);

  int attribute(DeviceAttribute attribute, int device);

  long memoryBytes(int device);

  /// Takes the primary context of a device and makes it the calling thread's.
  Handle retainContext(int device);

  /// Makes a context the calling thread's.
  void makeCurrent(Handle context);

  void releaseContext(int device);

  Memory memory();

  /// Loads a cubin, fatbin or PTX.
  Handle loadModule(byte[] image);

  void unloadModule(Handle module);

  Handle function(Handle module, String name);

  /// Lets a kernel use more than 48 KiB of shared memory.
  void allowSharedBytes(Handle function, int bytes);

  /// Memory with undefined contents, or null if there is no room.
  @Nullable Handle allocate(long bytes);

  void free(Handle memory);

  Handle newStream();

  void closeStream(Handle stream);

  /// Waits for all work issued to a stream.
  void synchronize(Handle stream);

  /// Copies to the device; the source may be reused when this returns.
  void upload(MemorySegment source, long target, Handle stream);

  /// Copies from the device and waits for it.
  void download(long source, MemorySegment target, Handle stream);

  void copy(long source, long target, long bytes, Handle stream);

  void zero(long target, long bytes, Handle stream);

  /// Issues a kernel; if `Launch.isDependent`, it may start before its predecessor has ended.
  void launch(Handle function, Launch launch, Handle stream);

  /// From now on notes what is issued to a stream instead of doing it.
  void beginCapture(Handle stream);

  /// Ends a capture.
  ///
  /// @return what was issued, ready to be issued again; null if it cannot be
  @Nullable Handle endCapture(Handle stream);

  /// Issues what was captured.
  void play(Handle captured, Handle stream);

  void forget(Handle captured);

  /// Host memory that copies may still use when their calls have returned; until the driver ends.
  MemorySegment allocateHost(long bytes);

  void freeHost(MemorySegment memory);

  /// As `download`, without waiting.
  ///
  /// @param target of `allocateHost`
  void downloadLater(long source, MemorySegment target, Handle stream);

  /// A mark for streams, which stands nowhere yet.
  Handle newMark();

  /// Puts a mark behind what was issued to a stream, wherever it stood.
  void mark(Handle mark, Handle stream);

  /// Waits for the work before a mark.
  void await(Handle mark);

  void closeMark(Handle mark);

  /// Describes an array of bf16 to the copy engine of compute capability 9.0: swizzled by 128
  /// bytes, zeros beyond its edges.
  ///
  /// @param target 128 bytes, aligned to 64
  void describe(TensorMap map, MemorySegment target);
}
