package moe.engine.stage;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import moe.engine.files.PlainFile;
import moe.spi.device.DeviceStream;
import moe.spi.device.Tensor;
import moe.spi.error.ErrorKind;
import moe.spi.error.MoeException;
import moe.spi.stage.Router;
import moe.spi.stage.Routing;
import moe.spi.stage.StageContext;

/// Repeats what another run's routers chose, call by call and bit by bit.
///
/// In training the gradient is that of `topk` at these choices.
final class ReplayRouter implements Router {
  private final Path path;
  private final RoutingFile format;
  private final FileChannel file;
  private final Router base;
  private int calls;

  ReplayRouter(StageContext context, String directory) {
    path = RoutingFile.path(directory, context.place());
    format = RoutingFile.of(context.spec(), context.place());
    if (!Files.isRegularFile(path)) {
      throw new MoeException(
          ErrorKind.DATA,
          "%s: no such file; set router.path to a directory that router.capture wrote for a model of %d layers"
              .formatted(path, context.place().layers()));
    }
    try {
      file = PlainFile.open(path);
    } catch (IOException failed) {
      throw unreadable(failed);
    }
    format.require(path, read(RoutingFile.HEAD_BYTES));
    base =
        context
            .base()
            .orElseThrow()
            .create(
                new StageContext(
                    context.backend(), context.spec(), context.parameters(), context.options()));
  }

  @Override
  public void route(Tensor tokens, Routing out, DeviceStream stream) {
    long rows = tokens.shape().rows();
    ByteBuffer head = read(Integer.BYTES);
    if (head.remaining() < Integer.BYTES) {
      throw new MoeException(
          ErrorKind.DATA,
          "%s: has the routing of %d batches, and more are wanted; capture as many"
              .formatted(path, calls));
    }
    int captured = head.getInt();
    if (captured != rows) {
      throw new MoeException(
          ErrorKind.DATA,
          "%s: batch %d has %d tokens where the captured one had %d; use the batch_size, seq_length and mode of the capture"
              .formatted(path, calls + 1, rows, captured));
    }
    calls++;
    int bytes = Math.toIntExact(rows * format.topK() * Integer.BYTES);
    upload(out.expertIds(), bytes, stream);
    upload(out.gates(), bytes, stream);
  }

  private void upload(Tensor target, int bytes, DeviceStream stream) {
    ByteBuffer values = read(bytes);
    if (values.remaining() < bytes) {
      throw new MoeException(
          ErrorKind.DATA, "%s: ends within batch %d; capture it again".formatted(path, calls));
    }
    stream.upload(MemorySegment.ofBuffer(values), target);
  }

  /// The next bytes, fewer at the end.
  private ByteBuffer read(int bytes) {
    ByteBuffer buffer = RoutingFile.little(bytes);
    try {
      int more = 0;
      while (buffer.hasRemaining() && more >= 0) {
        more = file.read(buffer);
      }
    } catch (IOException failed) {
      throw unreadable(failed);
    }
    return buffer.flip();
  }

  private MoeException unreadable(IOException cause) {
    return new MoeException(
        ErrorKind.DATA,
        "%s: cannot be read (%s); check its permissions".formatted(path, cause.getMessage()),
        cause);
  }

  @Override
  public Optional<Tensor> balanceBias() {
    return base.balanceBias(); // moved in training as it was then, and of no effect
  }

  @Override
  public Optional<Backward> backward() {
    return base.backward();
  }

  @Override
  public void close() {
    base.close();
    try {
      file.close();
    } catch (IOException failed) {
      throw unreadable(failed);
    }
  }
}
