package moe.engine.energy;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import moe.spi.EnergyMeterFactory;
import moe.spi.SpiVersion;
import moe.spi.Support;
import moe.spi.device.DeviceInfo;
import moe.spi.device.EnergyMeter;
import moe.spi.error.ErrorKind;
import moe.spi.error.MoeException;

/// Meters of processors: Linux's powercap counters of packages and their memory.
///
/// The zone `psys` covers the whole board, packages included, so it is never added to them; `core`
/// and `uncore` are parts of a package.
public final class RaplMeterFactory implements EnergyMeterFactory {
  private static final Duration REFRESH =
      Duration.ofMillis(10); // hardware: 1 ms; its jitter counts
  private final Path root;

  /// On this machine.
  public RaplMeterFactory() {
    this(Path.of("/sys/class/powercap"));
  }

  RaplMeterFactory(Path root) {
    this.root = root;
  }

  @Override
  public String name() {
    return "rapl";
  }

  @Override
  public int spiVersion() {
    return SpiVersion.CURRENT;
  }

  @Override
  public Support supports(DeviceInfo device) {
    if (device.backend().equals("cuda") || device.name().contains("NVIDIA")) {
      return new Support.No("%s is no processor".formatted(device.name()));
    }
    try {
      List<Path> zones = zones();
      if (zones.isEmpty()) {
        return new Support.No("%s has no zone package or dram".formatted(root));
      }
      for (Path zone : zones) {
        if (!Files.isReadable(zone.resolve("energy_uj"))) {
          return new Support.No(
              "%s may not be read by this user; chmod o+r it".formatted(zone.resolve("energy_uj")));
        }
      }
      return Support.YES;
    } catch (IOException e) {
      return new Support.No("%s cannot be read (%s)".formatted(root, e));
    }
  }

  @Override
  public EnergyMeter open(DeviceInfo device) {
    try {
      List<Path> zones = zones();
      return new Meter(zones.stream().map(RaplZone::new).toList(), names(zones));
    } catch (IOException e) {
      throw new MoeException(
          ErrorKind.DEVICE,
          "%s: cannot be read (%s); set energy.meter = \"none\"".formatted(root, e));
    }
  }

  private List<Path> zones() throws IOException {
    List<Path> zones = new ArrayList<>();
    if (!Files.isDirectory(root)) {
      return zones;
    }
    try (Stream<Path> entries = Files.list(root)) {
      for (Path entry : entries.sorted().toList()) {
        boolean rapl = entry.getFileName().toString().matches("intel-rapl(:\\d+){1,2}");
        if (rapl && (label(entry).startsWith("package") || label(entry).equals("dram"))) {
          zones.add(entry);
        }
      }
    }
    return zones;
  }

  private static String label(Path zone) throws IOException {
    Path name = zone.resolve("name");
    return Files.exists(name) ? Files.readString(name, StandardCharsets.US_ASCII).strip() : "";
  }

  private static String names(List<Path> zones) throws IOException {
    List<String> names = new ArrayList<>();
    for (Path zone : zones) {
      names.add(label(zone));
    }
    return String.join(" + ", names);
  }

  private record Meter(List<RaplZone> zones, String names) implements EnergyMeter {
    @Override
    public String method() {
      return "RAPL, " + names;
    }

    @Override
    public Duration refresh() {
      return REFRESH;
    }

    @Override
    public double joules() {
      return zones.stream().mapToDouble(RaplZone::joules).sum();
    }

    @Override
    public void close() {}
  }
}
