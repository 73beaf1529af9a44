package moe.backend.opencl;

import java.lang.foreign.MemorySegment;
import java.util.function.Consumer;
import moe.backend.opencl.kernel.Kernels;
import moe.backend.opencl.kernel.Region;
import moe.backend.opencl.kernel.SlotRows;
import moe.backend.opencl.kernel.WorkQueue;
import moe.spi.device.DeviceStream;
import moe.spi.device.Tensor;
import org.jspecify.annotations.Nullable;

/// An in-order queue of the device. It owns the dense operations, whose kernels keep arguments from
/// call to call.
public final class OpenClStream implements DeviceStream {
  private static final Operation COPY = new Operation("copy");
  private static final Operation ZERO = new Operation("zero");
  private static final Operation UPLOAD = new Operation("upload");
  private static final Operation DOWNLOAD = new Operation("download");

  private final Kernels kernels;
  private final WorkQueue queue;
  private final HeldMemory memory;
  private final Region panels;
  private final Region parts;
  private final Consumer<OpenClStream> onClose;
  private @Nullable EmbeddingOps embeddings;
  private @Nullable NormOps norms;
  private @Nullable LinearOps linears;
  private @Nullable ElementwiseOps elementwise;
  private @Nullable AttentionOps attention;
  private @Nullable LossOps losses;
  private @Nullable RowOps rows;
  private volatile boolean closed;

  OpenClStream(OpenClBackend backend, Consumer<OpenClStream> onClose) {
    this.onClose = onClose;
    queue = backend.compute().newQueue();
    kernels = new Kernels(backend.compute());
    memory = new HeldMemory(backend);
    boolean done = false;
    try {
      panels = memory.scratch(SlotRows.denseFloats(backend.compute()));
      parts = memory.scratch(LinearOps.PARTS);
      done = true;
    } finally {
      if (!done) {
        memory.close();
        queue.close();
      }
    }
  }

  /// The stream behind the SPI's interface.
  ///
  /// @throws IllegalArgumentException if it is another backend's
  public static OpenClStream of(DeviceStream stream) {
    if (stream instanceof OpenClStream opencl) {
      opencl.checkOpen();
      return opencl;
    }
    throw new IllegalArgumentException(
        "a %s is not a stream of the OpenCL backend".formatted(stream.getClass().getSimpleName()));
  }

  /// The queue behind a stream of this backend.
  public static WorkQueue queue(DeviceStream stream) {
    return of(stream).queue;
  }

  // Kernels are built at first use: a block alone needs few of them.

  EmbeddingOps embeddings() {
    EmbeddingOps made = embeddings == null ? new EmbeddingOps(kernels, queue) : embeddings;
    embeddings = made;
    return made;
  }

  NormOps norms() {
    NormOps made = norms == null ? new NormOps(kernels, queue) : norms;
    norms = made;
    return made;
  }

  LinearOps linears() {
    LinearOps made = linears == null ? new LinearOps(kernels, queue, panels, parts) : linears;
    linears = made;
    return made;
  }

  ElementwiseOps elementwise() {
    ElementwiseOps made = elementwise == null ? new ElementwiseOps(kernels, queue) : elementwise;
    elementwise = made;
    return made;
  }

  AttentionOps attention() {
    AttentionOps made = attention == null ? new AttentionOps(kernels, queue) : attention;
    attention = made;
    return made;
  }

  LossOps losses() {
    LossOps made = losses == null ? new LossOps(kernels, queue) : losses;
    losses = made;
    return made;
  }

  RowOps rows() {
    RowOps made = rows == null ? new RowOps(kernels, queue) : rows;
    rows = made;
    return made;
  }

  @Override
  public void upload(MemorySegment source, Tensor target) {
    checkOpen();
    OpenClTensor to = UPLOAD.tensor("target", target);
    checkSize("upload", source, target);
    queue.write(source, to.region().buffer(), to.region().at() * to.type().bytes());
  }

  @Override
  public void download(Tensor source, MemorySegment target) {
    checkOpen();
    OpenClTensor from = DOWNLOAD.tensor("source", source);
    checkSize("download", target, source);
    queue.read(from.region().buffer(), from.region().at() * from.type().bytes(), target);
  }

  @Override
  public void copy(Tensor source, Tensor target) {
    checkOpen();
    OpenClTensor from = COPY.tensor("source", source);
    OpenClTensor to = COPY.tensor("target", target);
    if (from.type() != to.type() || from.shape().elements() != to.shape().elements()) {
      throw new IllegalArgumentException(
          "copy: source is %s, target is %s; both must have one type and size".formatted(from, to));
    }
    long each = from.type().bytes();
    queue.copy(
        from.region().buffer(),
        from.region().at() * each,
        to.region().buffer(),
        to.region().at() * each,
        from.byteSize());
  }

  @Override
  public void zero(Tensor target) {
    checkOpen();
    OpenClTensor tensor = ZERO.tensor("target", target);
    long at = tensor.region().at() * tensor.type().bytes();
    queue.zero(tensor.region().buffer(), at, tensor.byteSize());
  }

  @Override
  public void synchronize() {
    checkOpen();
    queue.finish();
  }

  @Override
  public long timeNanos() {
    checkOpen();
    queue.finish();
    return System.nanoTime();
  }

  @Override
  public void close() {
    if (!closed) {
      try {
        queue.finish();
      } finally { // also when the device is lost
        closed = true;
        onClose.accept(this);
        kernels.close();
        memory.close();
        queue.close();
      }
    }
  }

  /// Waits for the work of a stream that may be closed meanwhile.
  void settle() {
    if (!closed) {
      queue.finish();
    }
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
