package com.example.plain;

import java.lang.foreign.MemorySegment;
import java.util.function.Consumer;
import moe.spi.device.DType;
import moe.spi.device.DeviceStream;
import moe.spi.device.Tensor;

/// A queue of work that does everything at once. A device's stream only issues work here, and waits
/// in `download`, `synchronize` and `timeNanos`.
final class PlainStream implements DeviceStream {
  private final Consumer<PlainStream> onClose;
  private volatile boolean closed;

  PlainStream(Consumer<PlainStream> onClose) {
    this.onClose = onClose;
  }

  /// Fails unless this is an open stream of this backend; each operation asks first.
  static void check(DeviceStream stream) {
    if (!(stream instanceof PlainStream plain)) {
      throw new IllegalArgumentException("not a stream of this backend");
    }
    plain.checkOpen();
  }

  private void checkOpen() {
    if (closed) {
      throw new IllegalStateException("this stream is closed");
    }
  }

  @Override
  public void upload(MemorySegment source, Tensor target) {
    checkOpen();
    memory(target, source).copyFrom(source);
  }

  @Override
  public void download(Tensor source, MemorySegment target) {
    checkOpen();
    target.copyFrom(memory(source, target));
  }

  @Override
  public void copy(Tensor source, Tensor target) {
    checkOpen();
    DType type = target.type();
    PlainTensor from = PlainTensor.of("source", source, type, target.shape().elements());
    PlainTensor to = PlainTensor.of("target", target, type, target.shape().elements());
    to.segment().copyFrom(from.segment());
  }

  @Override
  public void zero(Tensor target) {
    checkOpen();
    PlainTensor.of("target", target, target.type(), target.shape().elements())
        .segment()
        .fill((byte) 0);
  }

  @Override
  public void synchronize() {
    checkOpen();
  }

  @Override
  public long timeNanos() {
    checkOpen();
    return System.nanoTime();
  }

  @Override
  public void close() {
    closed = true;
    onClose.accept(this);
  }

  private static MemorySegment memory(Tensor tensor, MemorySegment host) {
    if (host.byteSize() != tensor.byteSize()) {
      throw new IllegalArgumentException(
          "%d bytes of host memory for a tensor of %d"
              .formatted(host.byteSize(), tensor.byteSize()));
    }
    return PlainTensor.of("tensor", tensor, tensor.type(), tensor.shape().elements()).segment();
  }
}
