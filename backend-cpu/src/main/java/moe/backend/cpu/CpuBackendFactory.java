package moe.backend.cpu;

import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.util.List;
import moe.backend.cpu.kernel.CpuThreads;
import moe.backend.cpu.kernel.InnerLoops;
import moe.backend.cpu.kernel.VectorModule;
import moe.spi.Availability;
import moe.spi.BackendFactory;
import moe.spi.SpiVersion;
import moe.spi.device.Backend;
import moe.spi.device.DeviceInfo;
import moe.spi.error.ErrorKind;
import moe.spi.error.MoeException;
import org.jspecify.annotations.Nullable;

/// Offers the processor of this machine, which is always there.
///
/// The system property `moe.cpu.threads` sets how many threads work; absent, as many as the JVM has
/// processors.
public final class CpuBackendFactory implements BackendFactory {
  /// The system property that sets the number of threads.
  public static final String THREADS = "moe.cpu.threads";

  private static final int MAX_THREADS = 1024;
  private static final Logger LOG = System.getLogger("moe.backend.cpu");

  @Override
  public String name() {
    return CpuBackend.NAME;
  }

  @Override
  public int spiVersion() {
    return SpiVersion.CURRENT;
  }

  @Override
  public Availability probe() {
    try {
      String name = ProcessorName.read() + ", " + threads() + " threads, " + InnerLoops.describe();
      long memory = Runtime.getRuntime().maxMemory();
      return new Availability.Available(List.of(new DeviceInfo(CpuBackend.NAME, 0, name, memory)));
    } catch (MoeException e) {
      return new Availability.Unavailable(String.valueOf(e.getMessage()), e);
    }
  }

  @Override
  public Backend open(DeviceInfo device) {
    if (!VectorModule.PRESENT) {
      LOG.log(
          Level.WARNING,
          "cpu: without vectors, many times slower. Start Java with --add-modules"
              + " jdk.incubator.vector.");
    }
    return new CpuBackend(device, new CpuThreads(threads()), InnerLoops.best());
  }

  private static int threads() {
    String value = System.getProperty(THREADS);
    if (value == null) {
      return Runtime.getRuntime().availableProcessors();
    }
    try {
      int threads = Integer.parseInt(value);
      if (threads >= 1 && threads <= MAX_THREADS) {
        return threads;
      }
    } catch (NumberFormatException e) {
      throw wrongThreads(value, e);
    }
    throw wrongThreads(value, null);
  }

  private static MoeException wrongThreads(String value, @Nullable NumberFormatException cause) {
    return new MoeException(
        ErrorKind.USAGE,
        "-D%s=%s: must be a whole number from 1 to %d".formatted(THREADS, value, MAX_THREADS),
        cause);
  }
}
