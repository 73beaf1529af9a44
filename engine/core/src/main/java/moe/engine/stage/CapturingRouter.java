package moe.engine.stage;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Optional;
import moe.engine.files.PlainFile;
import moe.engine.files.SafeFile;
import moe.spi.device.DeviceStream;
import moe.spi.device.Tensor;
import moe.spi.stage.Adaptation;
import moe.spi.stage.LayerSpec;
import moe.spi.stage.Router;
import moe.spi.stage.Routing;
import moe.spi.stage.StageContext;

/// Any router, whose routing goes to a file as well: what `replay` reads. Waits for the device.
public final class CapturingRouter implements Router {
  private final Router router;
  private final Path path;
  private final RoutingFile format;
  private final FileChannel file;

  /// @param directory for the files of all layers, made if it does not exist
  /// @throws moe.spi.error.MoeException kind `DATA` if the disk refuses
  public CapturingRouter(
      Router router, String directory, LayerSpec spec, StageContext.Place place) {
    this.router = router;
    this.path = RoutingFile.path(directory, place);
    this.format = RoutingFile.of(spec, place);
    try {
      Files.createDirectories(Path.of(directory));
      this.file = PlainFile.write(path, StandardOpenOption.TRUNCATE_EXISTING);
      write(format.head());
    } catch (IOException refused) {
      throw SafeFile.refused(path, refused);
    }
  }

  @Override
  public void route(Tensor tokens, Routing out, DeviceStream stream) {
    router.route(tokens, out, stream);
    int rows = Math.toIntExact(tokens.shape().rows());
    ByteBuffer call = RoutingFile.little(Math.toIntExact(format.callBytes(rows)));
    call.putInt(0, rows);
    int bytes = rows * format.topK() * Integer.BYTES;
    MemorySegment all = MemorySegment.ofBuffer(call);
    stream.download(out.expertIds(), all.asSlice(Integer.BYTES, bytes));
    stream.download(out.gates(), all.asSlice(Integer.BYTES + (long) bytes, bytes));
    try {
      write(call);
    } catch (IOException refused) {
      throw SafeFile.refused(path, refused);
    }
  }

  private void write(ByteBuffer bytes) throws IOException {
    while (bytes.hasRemaining()) {
      file.write(bytes);
    }
  }

  @Override
  public Optional<Tensor> balanceBias() {
    return router.balanceBias();
  }

  @Override
  public Optional<Backward> backward() {
    return router.backward();
  }

  @Override
  public Optional<AuxiliaryLoss> auxiliaryLoss() {
    return router.auxiliaryLoss();
  }

  @Override
  public Optional<Adaptation> adaptation() {
    return router.adaptation();
  }

  @Override
  public void close() {
    router.close();
    try {
      file.close();
    } catch (IOException refused) {
      throw SafeFile.refused(path, refused);
    }
  }
}
