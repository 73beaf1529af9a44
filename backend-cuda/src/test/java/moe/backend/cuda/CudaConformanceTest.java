package moe.backend.cuda;

import java.util.List;
import moe.conformance.BackendConformance;
import moe.spi.Availability;
import moe.spi.BackendFactory;
import moe.spi.SpiVersion;
import moe.spi.device.Backend;
import moe.spi.device.DeviceInfo;
import org.jspecify.annotations.Nullable;

/// Holds the CUDA backend to the rules of the SPI, on the GPU of this machine or on its emulation.
final class CudaConformanceTest extends BackendConformance {
  @Override
  protected BackendFactory factory() {
    return new EmulatedWhereThereIsNone();
  }

  private static final class EmulatedWhereThereIsNone implements BackendFactory {
    private final CudaBackendFactory real = new CudaBackendFactory();

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
      return real.probe() instanceof Availability.Available
          ? real.open(device)
          : new CudaBackend(device, new EmulatedDriver(), _ -> new byte[0], Arithmetic.F32);
    }
  }

  /// A device with an end to its memory.
  private static final class EmulatedDriver extends HostDriver {
    static final long BYTES = 1L << 30;

    EmulatedDriver() {
      super(Emulator.get()::run);
    }

    @Override
    public @Nullable Handle allocate(long bytes) {
      return bytes > BYTES / 2 ? null : super.allocate(bytes);
    }
  }
}
