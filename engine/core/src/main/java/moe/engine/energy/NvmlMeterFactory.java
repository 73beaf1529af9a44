package moe.engine.energy;

import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.function.Supplier;
import moe.spi.EnergyMeterFactory;
import moe.spi.SpiVersion;
import moe.spi.Support;
import moe.spi.device.DeviceInfo;
import moe.spi.device.EnergyMeter;
import moe.spi.error.MoeException;
import org.jspecify.annotations.Nullable;

/// Meters of NVIDIA GPUs: NVML's counter of total energy, which moves about every 100 ms.
public final class NvmlMeterFactory implements EnergyMeterFactory {
  private static final Duration REFRESH = Duration.ofMillis(100);
  private static final String VISIBLE = "CUDA_VISIBLE_DEVICES";

  private final Supplier<Optional<String>> missing;
  private final Supplier<Nvml> library;
  private final @Nullable String visible;

  /// On this machine.
  public NvmlMeterFactory() {
    this(NvmlLibrary::missing, NvmlLibrary::new, System.getenv(VISIBLE));
  }

  /// @param visible the value of CUDA_VISIBLE_DEVICES, which renumbers devices
  NvmlMeterFactory(
      Supplier<Optional<String>> missing, Supplier<Nvml> library, @Nullable String visible) {
    this.missing = missing;
    this.library = library;
    this.visible = visible;
  }

  @Override
  public String name() {
    return "nvml";
  }

  @Override
  public int spiVersion() {
    return SpiVersion.CURRENT;
  }

  @Override
  public Support supports(DeviceInfo device) {
    if (!device.backend().equals("cuda") && !device.name().contains("NVIDIA")) {
      return new Support.No("%s is no NVIDIA GPU".formatted(device.name()));
    }
    Optional<String> reason = missing.get();
    if (reason.isPresent()) {
      return new Support.No(reason.get());
    }
    try (EnergyMeter meter = open(device)) {
      double joules = meter.joules();
      return joules >= 0 ? Support.YES : new Support.No("the counter runs backwards");
    } catch (MoeException refused) {
      return new Support.No(refused.getMessage());
    }
  }

  @Override
  public EnergyMeter open(DeviceInfo device) {
    return new Meter(library.get(), physical(device.index()), device.name());
  }

  /// The device as NVML counts, which does not know what CUDA was told to see.
  private String physical(int index) {
    if (visible == null || visible.isBlank()) {
      return Integer.toString(index);
    }
    List<String> seen = Arrays.stream(visible.split(",", -1)).map(String::strip).toList();
    return index < seen.size() ? seen.get(index) : Integer.toString(index);
  }

  private static final class Meter implements EnergyMeter {
    private final Nvml nvml;
    private final long device;
    private final long start;
    private final String name;

    Meter(Nvml nvml, String device, String name) {
      this.nvml = nvml;
      this.device = nvml.device(device);
      this.start = nvml.millijoules(this.device);
      this.name = name;
    }

    @Override
    public String method() {
      return "NVML total energy counter, " + name;
    }

    @Override
    public Duration refresh() {
      return REFRESH;
    }

    @Override
    public double joules() {
      return (nvml.millijoules(device) - start) / 1e3;
    }

    @Override
    public void close() {}
  }
}
