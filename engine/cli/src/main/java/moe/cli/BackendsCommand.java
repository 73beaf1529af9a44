package moe.cli;

import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import moe.engine.plugin.PluginRegistry;
import moe.engine.wiring.BackendSurvey;
import moe.spi.Availability;
import moe.spi.device.DeviceInfo;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/// Lists the backends with their devices, or the reason why they do not work here.
@Command(
    name = "backends",
    description = "Lists the backends with their devices, or why they do not work here.",
    mixinStandardHelpOptions = true,
    footerHeading = "%nExample:%n",
    footer = {"  moe-engine backends --json"})
final class BackendsCommand implements Callable<Integer> {
  @Option(names = "--json", description = "Print JSON instead of a table.")
  private boolean json;

  @Spec private CommandSpec spec;

  BackendsCommand() {}

  @Override
  public Integer call() {
    PrintWriter out = spec.commandLine().getOut();
    try (PluginRegistry registry = Installed.load(spec.commandLine().getErr())) {
      List<BackendSurvey> surveys = BackendSurvey.all(registry);
      out.print(json ? json(surveys) : table(surveys));
      out.flush();
      return 0;
    }
  }

  private static String table(List<BackendSurvey> surveys) {
    TextTable table = new TextTable("backend", "device", "memory", "name");
    for (BackendSurvey survey : surveys) {
      switch (survey.availability()) {
        case Availability.Available(List<DeviceInfo> devices) -> {
          for (DeviceInfo device : devices) {
            table.row(
                survey.name(),
                String.valueOf(device.index()),
                "%.1f GiB".formatted(device.memoryBytes() / 0x1p30),
                device.name());
          }
        }
        case Availability.Unavailable(String reason, var _) ->
            table.row(survey.name(), "-", "-", "unavailable: " + reason);
      }
    }
    return table.toString();
  }

  private static String json(List<BackendSurvey> surveys) {
    List<Object> backends = new ArrayList<>();
    for (BackendSurvey survey : surveys) {
      Map<String, Object> backend = new LinkedHashMap<>();
      backend.put("name", survey.name());
      backend.put("source", survey.source());
      switch (survey.availability()) {
        case Availability.Available(List<DeviceInfo> devices) -> {
          backend.put("available", true);
          backend.put("devices", devices.stream().map(BackendsCommand::json).toList());
        }
        case Availability.Unavailable(String reason, var _) -> {
          backend.put("available", false);
          backend.put("reason", reason);
        }
      }
      backends.add(backend);
    }
    return Json.text(Map.of("backends", backends));
  }

  private static Map<String, Object> json(DeviceInfo device) {
    Map<String, Object> object = new LinkedHashMap<>();
    object.put("index", device.index());
    object.put("name", device.name());
    object.put("memory_bytes", device.memoryBytes());
    return object;
  }
}
