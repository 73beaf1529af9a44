package moe.backend.cuda;

import java.util.List;
import moe.spi.Availability;
import moe.spi.BackendFactory;
import moe.spi.SpiVersion;
import moe.spi.device.Backend;
import moe.spi.device.DeviceInfo;
import org.jspecify.annotations.Nullable;

/// The CUDA backend on the GPU of this machine, or on its emulation.
final class EmulatedWhereThereIsNone implements BackendFactory {
  private final CudaBackendFactory real = new CudaBackendFactory();
  private int played;
  private @Nullable EmulatedDriver last;

  /// How often recorded work was played by the emulation.
  int played() {
    return played;
  }

  /// What the emulation opened last still holds: memory, streams, modules, contexts, recordings.
  int leftOpen() {
    return last == null ? 0 : last.open.size();
  }

  @Override
  public String name() {
    return real.name();
  }

  @Override
  public int spiVersion() {
    return SpiVersion.CURRENT;
  }

  @Override
  public Availability probe() {
    return switch (real.probe()) {
      case Availability.Available found -> found;
      case Availability.Unavailable(String reason, var _) -> {
        String missing = Twins.emulatorMissing();
        yield missing == null
            ? new Availability.Available(
                List.of(new DeviceInfo(name(), 0, "emulated", EmulatedDriver.BYTES)))
            : new Availability.Unavailable(reason + "; " + missing, null);
      }
    };
  }

  @Override
  public Backend open(DeviceInfo device) {
    if (real.probe() instanceof Availability.Available) {
      return real.open(device);
    }
    EmulatedDriver driver = new EmulatedDriver();
    last = driver;
    return new CudaBackend(device, driver, _ -> new byte[0], Arithmetic.F32);
  }

  /// A device with an end to its memory.
  private final class EmulatedDriver extends HostDriver {
    static final long BYTES = 1L << 30;

    EmulatedDriver() {
      super(Emulator.get()::run);
    }

    @Override
    public @Nullable Handle allocate(long bytes) {
      return bytes > BYTES / 2 ? null : super.allocate(bytes);
    }

    @Override
    public void play(Handle captured, Handle stream) {
      played++;
      super.play(captured, stream);
    }
  }
}
