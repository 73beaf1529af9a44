package moe.conformance.rule;

import static moe.conformance.trial.Feature.forward;

import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import moe.conformance.trial.Expect;
import moe.conformance.trial.Violation;
import moe.conformance.trial.Workbench;
import moe.spi.Availability;
import moe.spi.BackendFactory;
import moe.spi.Factory;
import moe.spi.SpiVersion;
import moe.spi.device.Backend;
import moe.spi.device.DType;
import moe.spi.device.DeviceInfo;
import moe.spi.device.Shape;
import moe.spi.device.Tensor;
import moe.spi.stage.OptionSpec;
import moe.spi.stage.StageFactory;

/// Factories and the life of a backend.
final class BackendRules {
  private static final long PATIENCE_NANOS = TimeUnit.SECONDS.toNanos(10);

  private BackendRules() {}

  static List<Rule> all() {
    return List.of(
        Rule.must(
            "BACK-1",
            "Every factory has a name of lower case words with hyphens and the current version of"
                + " the SPI.",
            "that spiVersion returns SpiVersion.CURRENT.",
            BackendRules::names),
        Rule.must(
            "BACK-2",
            "probe gives the same devices each time, numbered from 0, with the backend's name, a"
                + " name of their own and their memory.",
            "that probe opens nothing that changes what it sees.",
            BackendRules::probes),
        Rule.must(
            "BACK-3",
            "An open backend has its factory's name, the device asked for, and capabilities that do"
                + " not change.",
            "what open does with the DeviceInfo.",
            BackendRules::opens),
        Rule.must(
            "BACK-4",
            "A backend may be closed twice, closes its tensors and streams, and then refuses to"
                + " allocate or make streams with an IllegalStateException.",
            "that close remembers.",
            BackendRules::closes),
        Rule.must(
            "BACK-5",
            "Opened and closed 1000 times, or as often as 10 s allow but 20 times at least, a"
                + " backend leaves neither threads nor memory behind.",
            "threads, native memory and contexts that close does not end.",
            BackendRules::noLeak),
        Rule.must(
            "BACK-6",
            "Two open backends of one device are apart: closing one leaves the other working.",
            "static state.",
            BackendRules::apart),
        Rule.must(
            "BACK-7",
            "measureFlops and measureReadBandwidth give positive, finite numbers.",
            "the unit: operations and bytes in a second.",
            BackendRules::measures),
        Rule.must(
            "BACK-8",
            "A stage's factory declares settings with distinct keys, and says so each time alike.",
            "the lists that options returns.",
            BackendRules::options));
  }

  private static void names(Workbench at) {
    name(at.subject().factory());
    at.subject().stages().forEach(BackendRules::name);
  }

  private static void name(Factory factory) {
    Expect.that(
        factory.name().matches("[a-z0-9]+(-[a-z0-9]+)*"), "the name is \"%s\"", factory.name());
    Expect.that(
        factory.spiVersion() == SpiVersion.CURRENT,
        "%s: spiVersion is %d, not %d",
        factory.name(),
        factory.spiVersion(),
        SpiVersion.CURRENT);
  }

  private static void probes(Workbench at) {
    BackendFactory factory = at.subject().factory();
    List<DeviceInfo> devices = devices(factory);
    Expect.that(devices.equals(devices(factory)), "a second probe gives other devices");
    for (int i = 0; i < devices.size(); i++) {
      DeviceInfo device = devices.get(i);
      Expect.that(
          device.backend().equals(factory.name()), "backend of device is %s", device.backend());
      Expect.that(!device.name().isBlank(), "device %d has no name", i);
      Expect.that(device.memoryBytes() > 0, "device %d has %d bytes", i, device.memoryBytes());
    }
    Set<Integer> indexes = new HashSet<>();
    devices.forEach(device -> indexes.add(device.index()));
    for (int i = 0; i < devices.size(); i++) {
      Expect.that(indexes.contains(i), "no device has the index %d", i);
    }
  }

  private static List<DeviceInfo> devices(BackendFactory factory) {
    return switch (factory.probe()) {
      case Availability.Available(List<DeviceInfo> devices) -> devices;
      case Availability.Unavailable(String reason, var _) ->
          throw new Violation("open, and yet probe says: " + reason);
    };
  }

  private static void opens(Workbench at) {
    Backend backend = at.backend();
    String name = at.subject().factory().name();
    Expect.that(backend.name().equals(name), "the name is %s, not %s", backend.name(), name);
    Expect.that(backend.device().equals(at.device()), "the device is %s", backend.device());
    Expect.that(
        Set.copyOf(backend.capabilities()).equals(Set.copyOf(backend.capabilities())),
        "capabilities change");
    Expect.that(backend.memory().limitBytes() > 0, "limitBytes is not positive");
  }

  private static void closes(Workbench at) {
    Backend backend = at.subject().factory().open(at.device());
    Tensor tensor = backend.allocate(DType.F32, Shape.of(33));
    backend.newStream();
    backend.close();
    backend.close();
    tensor.close();
    Expect.thrown(
        IllegalStateException.class,
        "allocate on a closed backend",
        () -> backend.allocate(DType.F32, Shape.of(1)));
    Expect.thrown(
        IllegalStateException.class, "newStream on a closed backend", () -> backend.newStream());
  }

  private static void noLeak(Workbench at) {
    at.trial(
        forward("backend"),
        "",
        () -> {
          once(at);
          int threads = Thread.activeCount();
          long start = System.nanoTime();
          int times = 0;
          while (times < 1000 && (times < 20 || System.nanoTime() - start < PATIENCE_NANOS)) {
            once(at);
            times++;
          }
          // Threads may take a moment to end.
          for (int i = 0; i < 100 && Thread.activeCount() > threads + 4; i++) {
            sleep();
          }
          int more = Thread.activeCount() - threads;
          Expect.that(more <= 4, "%d threads more after %d times", more, times);
        });
  }

  private static void once(Workbench at) {
    try (Backend backend = at.subject().factory().open(at.device())) {
      backend.newStream().zero(backend.allocate(DType.F32, Shape.of(1 << 12)));
    }
  }

  private static void sleep() {
    try {
      Thread.sleep(20);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new Violation("interrupted", e);
    }
  }

  private static void apart(Workbench at) {
    at.trial(
        forward("backend"),
        "two open",
        () -> {
          long before = at.backend().memory().allocatedBytes();
          try (Backend other = at.subject().factory().open(at.device())) {
            other.newStream().zero(other.allocate(DType.F32, Shape.of(100)));
            Expect.that(
                at.backend().memory().allocatedBytes() == before,
                "a tensor of another backend counts here");
          }
          Tensor x = at.accumulator("x", new double[] {1, 2, 3}, 3);
          at.dense().add(x, x, x, at.stream());
          at.compareExactly("x", x, new double[] {2, 4, 6});
        });
  }

  private static void measures(Workbench at) {
    double flops = at.backend().measureFlops();
    double bytes = at.backend().measureReadBandwidth();
    Expect.that(flops > 0 && Double.isFinite(flops), "measureFlops is %s", flops);
    Expect.that(bytes > 0 && Double.isFinite(bytes), "measureReadBandwidth is %s", bytes);
  }

  private static void options(Workbench at) {
    for (StageFactory<?> factory : at.subject().stages()) {
      List<String> keys = factory.options().stream().map(OptionSpec::key).toList();
      Expect.that(Set.copyOf(keys).size() == keys.size(), "%s: keys %s", factory.name(), keys);
      Expect.that(
          factory.options().equals(factory.options()), "%s: options change", factory.name());
    }
  }
}
