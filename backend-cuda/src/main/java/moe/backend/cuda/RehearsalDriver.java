package moe.backend.cuda;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/// A driver that does nothing, so that a backend on it shows how much memory something takes.
///
/// @param multiprocessors of the device it stands for
/// @param memory of that device
record RehearsalDriver(int multiprocessors, Memory memory) implements Driver {
  private static final Handle SOMEWHERE = () -> 256; // aligned as the driver aligns memory

  @Override
  public int version() {
    return 0;
  }

  @Override
  public int deviceCount() {
    return 1;
  }

  @Override
  public String deviceName(int device) {
    return "rehearsal";
  }

  @Override
  public int attribute(DeviceAttribute attribute, int device) {
    return attribute == DeviceAttribute.MULTIPROCESSORS ? multiprocessors : 0;
  }

  @Override
  public long memoryBytes(int device) {
    return memory.total();
  }

  @Override
  public Handle retainContext(int device) {
    return SOMEWHERE;
  }

  @Override
  public void makeCurrent(Handle context) {}

  @Override
  public void releaseContext(int device) {}

  @Override
  public Handle loadModule(byte[] image) {
    return SOMEWHERE;
  }

  @Override
  public void unloadModule(Handle module) {}

  @Override
  public Handle function(Handle module, String name) {
    return SOMEWHERE;
  }

  @Override
  public void allowSharedBytes(Handle function, int bytes) {}

  @Override
  public Handle allocate(long bytes) {
    return SOMEWHERE;
  }

  @Override
  public void free(Handle memory) {}

  @Override
  public Handle newStream() {
    return SOMEWHERE;
  }

  @Override
  public void closeStream(Handle stream) {}

  @Override
  public void synchronize(Handle stream) {}

  @Override
  public void upload(MemorySegment source, long target, Handle stream) {}

  @Override
  public void download(long source, MemorySegment target, Handle stream) {
    target.fill((byte) 0);
  }

  @Override
  public void copy(long source, long target, long bytes, Handle stream) {}

  @Override
  public void zero(long target, long bytes, Handle stream) {}

  @Override
  public void describe(TensorMap map, MemorySegment target) {}

  @Override
  public void launch(Handle function, Launch launch, Handle stream) {}

  @Override
  public void beginCapture(Handle stream) {}

  @Override
  public Handle endCapture(Handle stream) {
    return SOMEWHERE;
  }

  @Override
  public void play(Handle captured, Handle stream) {}

  @Override
  public void forget(Handle captured) {}

  @Override
  public MemorySegment allocateHost(long bytes) {
    return Arena.ofAuto().allocate(bytes, 64);
  }

  @Override
  public void freeHost(MemorySegment memory) {}

  @Override
  public void downloadLater(long source, MemorySegment target, Handle stream) {
    target.fill((byte) 0);
  }

  @Override
  public Handle newMark() {
    return SOMEWHERE;
  }

  @Override
  public void mark(Handle mark, Handle stream) {}

  @Override
  public void await(Handle mark) {}

  @Override
  public void closeMark(Handle mark) {}
}
