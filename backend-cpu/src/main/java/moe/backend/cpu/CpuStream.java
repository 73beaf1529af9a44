package moe.backend.cpu;

import java.lang.foreign.MemorySegment;
import java.util.function.Consumer;
import moe.backend.cpu.kernel.CopyKernel;
import moe.backend.cpu.kernel.CpuThreads;
import moe.backend.cpu.kernel.InnerLoops;
import moe.spi.device.DeviceStream;
import moe.spi.device.Tensor;

/// A stream that does its work at once, on all threads of the backend.
///
/// It owns the operations: each is an object whose fields are set per call, so that a step
/// allocates nothing, and a stream is confined to one thread as such objects are.
public final class CpuStream implements DeviceStream {
  private static final Operation COPY = new Operation("copy");
  private static final Operation ZERO = new Operation("zero");

  final EmbeddingOps embeddings;
  final NormOps norms;
  final LinearOps linears;
  final ElementwiseOps elementwise;
  final AttentionOps attention;
  final LossOps losses;
  final RowOps rows;
  final AdamWOps adamW;

  private final CopyKernel copies;
  private final Consumer<CpuStream> onClose;
  private volatile boolean closed;

  CpuStream(CpuThreads threads, InnerLoops loops, Consumer<CpuStream> onClose) {
    this.onClose = onClose;
    embeddings = new EmbeddingOps(threads, loops);
    norms = new NormOps(threads, loops);
    linears = new LinearOps(threads, loops);
    elementwise = new ElementwiseOps(threads, loops);
    attention = new AttentionOps(threads, loops);
    losses = new LossOps(threads, loops);
    rows = new RowOps(threads, loops);
    adamW = new AdamWOps(threads, loops);
    copies = new CopyKernel(threads);
  }

  /// The stream behind the SPI's interface.
  ///
  /// @throws IllegalArgumentException if it is another backend's
  public static CpuStream of(DeviceStream stream) {
    if (stream instanceof CpuStream cpu) {
      cpu.checkOpen();
      return cpu;
    }
    throw new IllegalArgumentException(
        "a %s is not a stream of the CPU backend".formatted(stream.getClass().getSimpleName()));
  }

  @Override
  public void upload(MemorySegment source, Tensor target) {
    checkOpen();
    checkSize("upload", source, target);
    MemorySegment.copy(source, 0, target.segment(), 0, target.byteSize());
  }

  @Override
  public void download(Tensor source, MemorySegment target) {
    checkOpen();
    checkSize("download", target, source);
    MemorySegment.copy(source.segment(), 0, target, 0, source.byteSize());
  }

  @Override
  public void copy(Tensor source, Tensor target) {
    checkOpen();
    CpuTensor from = COPY.tensor("source", source);
    CpuTensor to = COPY.tensor("target", target);
    if (from.type() != to.type() || from.shape().elements() != to.shape().elements()) {
      throw new IllegalArgumentException(
          "copy: source is %s, target is %s; both must have one type and size".formatted(from, to));
    }
    copies.copy(from.elements(), to.elements(), (int) from.shape().elements());
  }

  @Override
  public void zero(Tensor target) {
    checkOpen();
    CpuTensor tensor = ZERO.tensor("target", target);
    copies.zero(tensor.elements(), (int) tensor.shape().elements());
  }

  /// Nothing to wait for: all work is done when its call returns.
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

  private void checkOpen() {
    if (closed) {
      throw new IllegalStateException("this stream is closed");
    }
  }

  private static void checkSize(String operation, MemorySegment host, Tensor tensor) {
    if (host.byteSize() != tensor.byteSize()) {
      throw new IllegalArgumentException(
          "%s: host memory has %,d bytes, tensor %s %s has %,d"
              .formatted(
                  operation, host.byteSize(), tensor.type(), tensor.shape(), tensor.byteSize()));
    }
  }
}
