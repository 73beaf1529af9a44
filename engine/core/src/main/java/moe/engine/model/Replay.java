package moe.engine.model;

import moe.spi.device.DeviceStream;
import moe.spi.device.Recording;
import org.jspecify.annotations.Nullable;

/// Work that is the same each time: the second time it is recorded, if the stream can, and from
/// then on played. The first time it runs as it is, so that all it needs is loaded.
///
/// Not for several threads.
public final class Replay implements AutoCloseable {
  private final DeviceStream stream;
  private final Runnable work;
  private @Nullable Recording recording;
  private boolean ran;
  private boolean refused;

  /// @param work issues operations on the stream; see `DeviceStream.record`
  public Replay(DeviceStream stream, Runnable work) {
    this.stream = stream;
    this.work = work;
  }

  /// Does the work in the way that takes the host least.
  public void run() {
    if (recording == null && ran && !refused) {
      recording = stream.record(work).orElse(null);
      refused = recording == null;
    }
    if (recording == null) {
      runAsItIs();
    } else {
      recording.play();
    }
  }

  /// Does the work call by call, for those who time its parts.
  public void runAsItIs() {
    work.run();
    ran = true;
  }

  /// Whether the stream was asked to record this, and did not.
  public boolean refused() {
    return refused;
  }

  @Override
  public void close() {
    if (recording != null) {
      recording.close();
      recording = null;
    }
    refused = true;
  }
}
