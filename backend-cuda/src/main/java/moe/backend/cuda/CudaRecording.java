package moe.backend.cuda;

import moe.spi.device.Recording;

/// Calls that were captured as a graph.
final class CudaRecording implements Recording {
  private final Device device;
  private final Driver.Handle captured;
  private final Driver.Handle stream;
  private final RoundedRows roundedRows;
  private boolean closed;

  /// @param roundedRows of the stream, whose room this may overwrite
  CudaRecording(
      Device device, Driver.Handle captured, Driver.Handle stream, RoundedRows roundedRows) {
    this.device = device;
    this.captured = captured;
    this.stream = stream;
    this.roundedRows = roundedRows;
  }

  @Override
  public void play() {
    if (closed) {
      throw new IllegalStateException("this recording is closed");
    }
    roundedRows.forget();
    device.driver().play(captured, stream);
  }

  @Override
  public void close() {
    if (!closed) {
      closed = true;
      device.release("a graph", () -> device.driver().forget(captured));
    }
  }
}
