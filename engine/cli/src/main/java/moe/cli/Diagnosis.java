package moe.cli;

import com.sun.management.OperatingSystemMXBean;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;
import moe.engine.plugin.PluginFault;
import moe.engine.plugin.PluginRegistry;
import moe.engine.wiring.BackendSurvey;
import moe.spi.Availability;
import moe.spi.device.DeviceInfo;

/// Looks at the machine.
final class Diagnosis {
  /// Earlier builds of 25 may move pinned objects (JDK-8377811).
  private static final Runtime.Version OLDEST = Runtime.Version.parse("25.0.3");

  private static final double GIB = 0x1p30;

  private final PluginRegistry registry;
  private final List<BackendSurvey> backends;

  Diagnosis(PluginRegistry registry) {
    this.registry = registry;
    this.backends = BackendSurvey.all(registry);
  }

  /// Whether any backend works here.
  boolean anyBackend() {
    return backends.stream().anyMatch(Diagnosis::works);
  }

  /// All findings, from the ground up.
  List<Finding> findings() {
    List<Finding> findings = new ArrayList<>();
    findings.add(java());
    findings.add(vectors());
    findings.add(cores());
    findings.add(memory());
    findings.add(heap());
    backends.forEach(backend -> findings.add(backend(backend)));
    if (!anyBackend()) {
      findings.add(
          Finding.warning("backend", "none works here", "Install the jar of the CPU backend"));
    }
    findings.add(plugins());
    registry.faults().forEach(fault -> findings.add(fault(fault)));
    findings.add(writable("runs", Path.of("")));
    findings.add(writable("temp", Path.of(System.getProperty("java.io.tmpdir"))));
    return findings;
  }

  private static Finding java() {
    Runtime.Version version = Runtime.version();
    String text = "%s of %s".formatted(version, System.getProperty("java.vendor"));
    return version.compareToIgnoreOptional(OLDEST) >= 0
        ? Finding.ok("java", text)
        : Finding.warning(
            "java", text, "Install %s or newer, or set MOE_JAVA_HOME".formatted(OLDEST));
  }

  private static Finding vectors() {
    return ModuleLayer.boot().findModule("jdk.incubator.vector").isPresent()
        ? Finding.ok("vectors", "jdk.incubator.vector is there; the cpu backend names its width")
        : Finding.warning(
            "vectors",
            "jdk.incubator.vector is missing, so the cpu backend computes one number at a time",
            "Start the engine by its launcher, or add --add-modules jdk.incubator.vector");
  }

  private static Finding cores() {
    return Finding.ok("cores", String.valueOf(Runtime.getRuntime().availableProcessors()));
  }

  private static Finding memory() {
    if (ManagementFactory.getOperatingSystemMXBean() instanceof OperatingSystemMXBean system) {
      double free = system.getFreeMemorySize() / GIB;
      return Finding.ok(
          "memory", "%.1f GiB, %.1f GiB free".formatted(system.getTotalMemorySize() / GIB, free));
    }
    return Finding.note("memory", "this Java cannot tell", "");
  }

  /// The seed's model of 281 million weights needs, with gradients and AdamW's two means, 16 bytes
  /// each.
  private static Finding heap() {
    double heap = Runtime.getRuntime().maxMemory() / GIB;
    String text = "may grow to %.1f GiB".formatted(heap);
    return heap >= 6
        ? Finding.ok("heap", text)
        : Finding.note(
            "heap",
            text,
            "Training pipelines/distilgpt2.toml on the cpu takes about 6 GiB:"
                + " MOE_JAVA_OPTS=-Xmx6g");
  }

  private static Finding backend(BackendSurvey backend) {
    return switch (backend.availability()) {
      case Availability.Available(List<DeviceInfo> devices) ->
          Finding.ok(
              "backend",
              backend.name()
                  + ": "
                  + devices.stream().map(DeviceInfo::name).collect(Collectors.joining("; ")));
      case Availability.Unavailable(String reason, var _) ->
          Finding.note("backend", backend.name() + ": unavailable: " + reason, "");
    };
  }

  private static boolean works(BackendSurvey backend) {
    return backend.availability() instanceof Availability.Available;
  }

  private static Finding plugins() {
    Optional<Path> directory = PluginRegistry.pluginsDirectory();
    if (directory.isEmpty()) {
      return Finding.note(
          "plugins",
          "no home directory is set",
          "Start the engine by its launcher, or set MOE_HOME");
    }
    return Files.isDirectory(directory.get())
        ? Finding.ok("plugins", directory.get().toString())
        : Finding.note(
            "plugins", directory.get() + " does not exist", "Make it to install plugins");
  }

  private static Finding fault(PluginFault fault) {
    return Finding.warning(
        "plugin", fault + " (not loaded)", "Repair it, or take it out of the plugins directory");
  }

  private static Finding writable(String subject, Path directory) {
    Path path = directory.toAbsolutePath();
    if (!Files.isWritable(path)) {
      return Finding.warning(
          subject, path + " cannot be written", "Use --out, or another directory");
    }
    try {
      double free = Files.getFileStore(path).getUsableSpace() / GIB;
      String text = "%s, %.1f GiB free".formatted(path, free);
      return free >= 5
          ? Finding.ok(subject, text)
          : Finding.warning(subject, text, "A checkpoint of the seed's model takes 4.5 GB");
    } catch (IOException e) {
      return Finding.note(
          subject, "%s, free space unknown: %s".formatted(path, e.getMessage()), "");
    }
  }
}
