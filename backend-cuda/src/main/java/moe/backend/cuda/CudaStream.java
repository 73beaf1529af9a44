package moe.backend.cuda;

import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Optional;
import java.util.function.Consumer;
import moe.spi.device.DeviceStream;
import moe.spi.device.Mark;
import moe.spi.device.Recording;
import moe.spi.device.Tensor;
import moe.spi.error.ErrorKind;
import moe.spi.error.MoeException;
import org.jspecify.annotations.Nullable;

/// A stream of the driver, with the memory for the arguments of its calls.
public final class CudaStream implements DeviceStream {
  /// The system property that, set to false, lets nothing be recorded.
  private static final boolean RECORDS =
      Boolean.parseBoolean(System.getProperty("moe.cuda.record", "true"));

  private static final Logger LOG = System.getLogger("moe.backend.cuda");
  private static final long SCRATCH_BYTES = 16 << 10;
  private static final long TICKET_BYTES = 256;

  private final Device device;
  private final Driver.Handle stream;
  private final Driver.Handle scratch;
  private final Rooms rooms;
  private final Arena arena = Arena.ofShared();
  private final Staging staging;
  private final Launch launch;
  private final Consumer<CudaStream> onClose;
  private final LaterDownloads later;
  private final RoundedRows roundedRows;
  private boolean recording;
  private volatile boolean closed;

  CudaStream(Device device, CudaMemory memory, Consumer<CudaStream> onClose) {
    this.device = device;
    this.rooms = new Rooms(memory);
    this.roundedRows = new RoundedRows(rooms);
    this.onClose = onClose;
    this.stream = device.driver().newStream();
    Driver.Handle least = device.driver().allocate(SCRATCH_BYTES + TICKET_BYTES);
    if (least == null) {
      device.driver().closeStream(stream);
      throw new MoeException(
          ErrorKind.MEMORY, "cuda: no room for a stream: the GPU's memory is full");
    }
    this.scratch = least;
    device.driver().zero(ticket(), TICKET_BYTES, stream);
    this.staging = new Staging(device, stream, arena);
    this.launch = new Launch(device, stream, arena);
    this.later = new LaterDownloads(device);
  }

  /// The stream behind the SPI's interface.
  ///
  /// @throws IllegalArgumentException if it is another backend's
  public static CudaStream of(DeviceStream stream) {
    if (stream instanceof CudaStream cuda) {
      cuda.checkOpen();
      return cuda;
    }
    throw new IllegalArgumentException(
        "a %s is not a stream of the CUDA backend".formatted(stream.getClass().getSimpleName()));
  }

  /// Begins a call of a kernel with blocks of `block` threads in a grid of `x · y · z` of them.
  public Launch launch(Kernel kernel, int block, long x, long y, long z) {
    return launch.of(kernel, block, x, y, z);
  }

  /// Begins a call of a kernel that goes through `n` elements, 4 a thread.
  public Launch each(Kernel kernel, long n) {
    return launch.of(kernel, 256, Math.min(Math.ceilDiv(n, 1024), 65535), 1, 1);
  }

  /// 16 KiB of this stream for what lives no longer than an operation.
  long scratch() {
    return scratch.address();
  }

  /// A number in the device's memory, 0 between kernels, from which those of large products draw
  /// their tiles.
  long ticket() {
    return scratch.address() + SCRATCH_BYTES;
  }

  /// The address of room for so many of bf16: one of three operands of a dense product.
  long room(int index, long elements) {
    return rooms.of(index, elements).address();
  }

  /// What the last kernel to leave rows in bf16 left for the products that follow.
  public RoundedRows roundedRows() {
    return roundedRows;
  }

  /// Whether calls are noted and not issued.
  boolean isRecording() {
    return recording;
  }

  /// Notes that the last call wrote weights.
  void wroteWeights() {
    launch.wroteWeights();
  }

  /// The multiprocessors of the device.
  public int multiprocessors() {
    return device.multiprocessors();
  }

  @Override
  public void upload(MemorySegment source, Tensor target) {
    CudaTensor to = sized("upload", source, target);
    refuseIfRecording("an upload");
    staging.upload(source, to.address());
    Halves.written(this, to);
  }

  @Override
  public void download(Tensor source, MemorySegment target) {
    CudaTensor from = sized("download", target, source);
    refuseIfRecording("a download");
    staging.download(from.address(), target);
  }

  @Override
  public void downloadLater(Tensor source, MemorySegment target) {
    CudaTensor from = sized("download", target, source);
    refuseIfRecording("a download");
    if (target.byteSize() > 0 && !later.add(from.address(), target, stream)) {
      download(source, target);
    }
  }

  @Override
  public Mark mark() {
    checkOpen();
    refuseIfRecording("a mark");
    return later.mark(stream);
  }

  @Override
  public Optional<Recording> record(Runnable work) {
    checkOpen();
    refuseIfRecording("a recording");
    if (!RECORDS) {
      return Optional.empty();
    }
    Driver driver = device.driver();
    driver.beginCapture(stream);
    recording = true;
    roundedRows.forget();
    boolean whole = false;
    try {
      work.run();
      whole = true;
    } catch (NotRecordable e) {
      LOG.log(Level.DEBUG, "not recorded: {0}", e.getMessage());
      return Optional.empty();
    } finally {
      recording = false;
      roundedRows.forget();
      if (!whole) {
        device.release("a capture", () -> forget(driver.endCapture(stream)));
      }
    }
    Driver.Handle captured = driver.endCapture(stream);
    return captured == null
        ? Optional.empty()
        : Optional.of(new CudaRecording(device, captured, stream, roundedRows));
  }

  private void forget(Driver.@Nullable Handle captured) {
    if (captured != null) {
      device.driver().forget(captured);
    }
  }

  private void refuseIfRecording(String what) {
    if (recording) {
      throw new NotRecordable(what);
    }
  }

  @Override
  public void copy(Tensor source, Tensor target) {
    checkOpen();
    CudaTensor from = CudaTensor.of(source);
    CudaTensor to = CudaTensor.of(target);
    if (from.type() != to.type() || from.shape().elements() != to.shape().elements()) {
      throw new IllegalArgumentException(
          "copy: source is %s, target is %s; both must have one type and size".formatted(from, to));
    }
    settle(from);
    settle(to);
    if (from.byteSize() > 0) {
      device.driver().copy(from.address(), to.address(), from.byteSize(), stream);
      Halves.written(this, to);
    }
  }

  /// Writes the zeros that a tensor owes.
  void settle(CudaTensor tensor) {
    tensor.settle(device, stream);
  }

  @Override
  public void zero(Tensor target) {
    checkOpen();
    CudaTensor tensor = CudaTensor.of(target);
    settle(tensor);
    if (tensor.byteSize() > 0) {
      device.driver().zero(tensor.address(), tensor.byteSize(), stream);
      Halves.written(this, tensor);
    }
  }

  @Override
  public void synchronize() {
    checkOpen();
    refuseIfRecording("waiting");
    device.driver().synchronize(stream);
    later.deliver();
  }

  @Override
  public long timeNanos() {
    synchronize();
    return System.nanoTime();
  }

  @Override
  public void close() {
    if (closed) {
      return;
    }
    closed = true;
    onClose.accept(this);
    device.release("a stream", () -> device.driver().synchronize(stream));
    device.release("a stream", () -> device.driver().closeStream(stream));
    device.release("memory", () -> device.driver().free(scratch));
    later.close();
    rooms.close();
    arena.close();
  }

  private void checkOpen() {
    if (closed) {
      throw new IllegalStateException("this stream is closed");
    }
  }

  private CudaTensor sized(String operation, MemorySegment host, Tensor tensor) {
    checkOpen();
    CudaTensor cuda = CudaTensor.of(tensor);
    if (host.byteSize() != cuda.byteSize()) {
      throw new IllegalArgumentException(
          "%s: host memory has %,d bytes, tensor %s has %,d"
              .formatted(operation, host.byteSize(), cuda, cuda.byteSize()));
    }
    settle(cuda);
    return cuda;
  }
}
