package moe.engine.wiring;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Supplier;
import java.util.stream.IntStream;
import moe.spi.Availability;
import moe.spi.BackendFactory;
import moe.spi.SpiVersion;
import moe.spi.Support;
import moe.spi.device.Backend;
import moe.spi.device.DeviceInfo;

/// A backend with devices, or with a way to fail.
final class FakeBackendFactory implements BackendFactory {
  private final String name;
  private final Supplier<Availability> probe;
  private final List<FakeBackend> opened = new ArrayList<>();
  private Supplier<Support> recommends = () -> Support.YES;

  private FakeBackendFactory(String name, Supplier<Availability> probe) {
    this.name = name;
    this.probe = probe;
  }

  static FakeBackendFactory with(String name, String... devices) {
    List<DeviceInfo> found =
        IntStream.range(0, devices.length)
            .mapToObj(i -> new DeviceInfo(name, i, devices[i], 1L << 30))
            .toList();
    return new FakeBackendFactory(name, () -> new Availability.Available(found));
  }

  static FakeBackendFactory without(String name, String reason) {
    return new FakeBackendFactory(name, () -> new Availability.Unavailable(reason, null));
  }

  static FakeBackendFactory failing(String name, RuntimeException failure) {
    return new FakeBackendFactory(
        name,
        () -> {
          throw failure;
        });
  }

  /// Recommends none of its devices.
  FakeBackendFactory notFor(String reason) {
    recommends = () -> new Support.No(reason);
    return this;
  }

  /// Fails when it is asked whether it recommends a device.
  FakeBackendFactory undecided(RuntimeException failure) {
    recommends =
        () -> {
          throw failure;
        };
    return this;
  }

  /// All backends this factory opened.
  List<FakeBackend> opened() {
    return opened;
  }

  @Override
  public String name() {
    return name;
  }

  @Override
  public int spiVersion() {
    return SpiVersion.CURRENT;
  }

  @Override
  public Availability probe() {
    return probe.get();
  }

  @Override
  public Support recommends(DeviceInfo device) {
    return recommends.get();
  }

  @Override
  public Backend open(DeviceInfo device) {
    FakeBackend backend = new FakeBackend(device);
    opened.add(backend);
    return backend;
  }
}
