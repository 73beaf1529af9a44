package moe.backend.cuda;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Set;
import moe.spi.Availability;
import moe.spi.BackendFactory;
import moe.spi.SpiVersion;
import moe.spi.device.Backend;
import moe.spi.device.Compute;
import moe.spi.device.DeviceInfo;
import org.jspecify.annotations.Nullable;

/// The CUDA backend on the GPU of this machine, or on its emulation.
final class EmulatedWhereThereIsNone implements BackendFactory {
  private final CudaBackendFactory real = new CudaBackendFactory();
  private final List<String> events = new ArrayList<>();
  private int played;
  private @Nullable EmulatedDriver last;

  /// How often recorded work was played by the emulation.
  int played() {
    return played;
  }

  /// `mark` for each mark the emulation was asked for, and `await` for each it was made to wait
  /// for.
  List<String> events() {
    return events;
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
  public Set<Compute> computes(DeviceInfo device) {
    return real.computes(device);
  }

  @Override
  public Backend open(DeviceInfo device) {
    return open(device, Compute.AUTO);
  }

  @Override
  public Backend open(DeviceInfo device, Compute compute) {
    if (real.probe() instanceof Availability.Available) {
      return real.open(device, compute);
    }
    EmulatedDriver driver = new EmulatedDriver();
    last = driver;
    return new CudaBackend(
        device, driver, _ -> new byte[0], CudaBackendFactory.arithmetic(compute));
  }

  /// A device with an end to its memory, which does nothing before somebody waits for it.
  private final class EmulatedDriver extends HostDriver {
    static final long BYTES = 1L << 30;

    private final Deque<Runnable> issued = new ArrayDeque<>();

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

    @Override
    void now(Runnable work) {
      issued.add(work);
    }

    @Override
    boolean defers() {
      return true;
    }

    @Override
    void finish() {
      while (!issued.isEmpty()) {
        issued.remove().run();
      }
    }

    @Override
    public void mark(Handle mark, Handle stream) {
      super.mark(mark, stream);
      events.add("mark");
      issued.remove(new Stop(mark));
      issued.add(new Stop(mark));
    }

    @Override
    public void await(Handle mark) {
      events.add("await");
      while (issued.contains(new Stop(mark))) {
        issued.remove().run();
      }
    }
  }

  /// Where a mark stands.
  private record Stop(Driver.Handle mark) implements Runnable {
    @Override
    public void run() {}
  }
}
