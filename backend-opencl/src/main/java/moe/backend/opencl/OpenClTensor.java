package moe.backend.opencl;

import java.lang.foreign.MemorySegment;
import moe.backend.opencl.kernel.Region;
import moe.spi.device.DType;
import moe.spi.device.Shape;
import moe.spi.device.Tensor;
import moe.spi.error.ErrorKind;
import moe.spi.error.MoeException;
import org.jspecify.annotations.Nullable;

/// A tensor in a buffer of the device. A view is the same buffer with another first element.
public final class OpenClTensor implements Tensor {
  private final OpenClMemory memory;
  private final OpenClTensor owner;
  private final DType type;
  private final Shape shape;
  private final Region region;
  private final @Nullable MemorySegment shared;
  private volatile boolean closed;

  /// @param shared the buffer's memory, if the host sees it
  OpenClTensor(
      OpenClMemory memory, DType type, Shape shape, long buffer, @Nullable MemorySegment shared) {
    this.memory = memory;
    this.owner = this;
    this.type = type;
    this.shape = shape;
    this.region = new Region(buffer, 0);
    this.shared = shared;
  }

  private OpenClTensor(OpenClTensor owner, Shape shape, long at, @Nullable MemorySegment shared) {
    this.memory = owner.memory;
    this.owner = owner;
    this.type = owner.type;
    this.shape = shape;
    this.region = new Region(owner.region.buffer(), at);
    this.shared = shared;
  }

  @Override
  public DType type() {
    return type;
  }

  @Override
  public Shape shape() {
    return shape;
  }

  @Override
  public OpenClTensor view(long firstElement, Shape window) {
    if (firstElement < 0 || window.elements() > shape.elements() - firstElement) {
      throw new IndexOutOfBoundsException(
          "a window %s from element %d reaches beyond tensor %s"
              .formatted(window, firstElement, shape));
    }
    checkOpen();
    MemorySegment part =
        shared == null
            ? null
            : shared.asSlice(firstElement * type.bytes(), window.elements() * type.bytes());
    return new OpenClTensor(owner, window, region.at() + firstElement, part);
  }

  /// The memory itself where the device shares the host's; synchronize the stream before looking.
  @Override
  public MemorySegment segment() {
    checkOpen();
    if (shared == null) {
      throw new MoeException(
          ErrorKind.UNSUPPORTED,
          "opencl: the host cannot see the memory of this device. Download the tensor instead.");
    }
    return shared;
  }

  /// Where the elements are, while this tensor is open.
  public Region region() {
    checkOpen();
    return region;
  }

  @Override
  public void close() {
    if (owner == this && !closed) {
      closed = true;
      memory.release(this, region.buffer(), shared);
    }
  }

  @Override
  public String toString() {
    return "%s %s%s".formatted(type, shape, owner.closed ? " (closed)" : "");
  }

  private void checkOpen() {
    if (owner.closed) {
      throw new IllegalStateException("tensor %s is used after it was closed".formatted(this));
    }
  }
}
