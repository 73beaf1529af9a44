package moe.cli;

import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import moe.engine.plugin.PluginFault;
import moe.engine.plugin.PluginRegistry;
import moe.engine.plugin.Provider;
import moe.engine.plugin.Service;
import moe.spi.error.ErrorKind;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/// Lists all providers of the SPI with their jars, and the jars that did not load.
@Command(
    name = "plugins",
    description = "Lists all backends and stages with their jars, and what did not load.",
    mixinStandardHelpOptions = true,
    footerHeading = "%nExamples:%n",
    footer = {
      "  moe-engine plugins",
      "  moe-engine plugins --check && moe-engine run pipeline.toml",
      "",
      "Plugins are directories with jars below plugins/ in the home directory. If there is a file",
      "plugins/plugins.lock, only the jars in it load: sha256sum */*.jar > plugins.lock"
    })
final class PluginsCommand implements Callable<Integer> {
  @Option(names = "--check", description = "Exit with 5 if something did not load.")
  private boolean check;

  @Option(names = "--json", description = "Print JSON instead of a table.")
  private boolean json;

  @Spec private CommandSpec spec;

  PluginsCommand() {}

  @Override
  public Integer call() {
    PrintWriter out = spec.commandLine().getOut();
    try (PluginRegistry registry = PluginRegistry.load()) {
      out.print(json ? json(registry) : table(registry));
      out.flush();
      return check && !registry.faults().isEmpty() ? ErrorKind.PLUGIN.exitCode() : 0;
    }
  }

  private static String table(PluginRegistry registry) {
    StringBuilder text = new StringBuilder();
    text.append(
        PluginRegistry.pluginsDirectory()
            .map("plugins directory: %s%n"::formatted)
            .orElse("no plugins directory: the engine was not started by its launcher\n"));
    TextTable table = new TextTable("service", "name", "for backend", "source");
    for (Service service : Service.values()) {
      for (Provider<?> provider : registry.providers(service.type())) {
        table.row(service.noun(), provider.name(), backend(provider), provider.source());
      }
    }
    text.append(table);
    for (PluginFault fault : registry.faults()) {
      text.append("not loaded: %s%n".formatted(fault));
    }
    return text.toString();
  }

  private static String backend(Provider<?> provider) {
    return provider.backend().equals("*") ? "any" : provider.backend();
  }

  private static String json(PluginRegistry registry) {
    List<Object> providers = new ArrayList<>();
    for (Service service : Service.values()) {
      for (Provider<?> provider : registry.providers(service.type())) {
        Map<String, Object> object = new LinkedHashMap<>();
        object.put("service", service.type().getName());
        object.put("name", provider.name());
        object.put("backend", backend(provider));
        object.put("source", provider.source());
        object.put("class", provider.factory().getClass().getName());
        providers.add(object);
      }
    }
    Map<String, Object> root = new LinkedHashMap<>();
    PluginRegistry.pluginsDirectory().ifPresent(path -> root.put("directory", path.toString()));
    root.put("providers", providers);
    root.put(
        "faults",
        registry.faults().stream()
            .map(fault -> Map.of("source", fault.source(), "reason", fault.reason()))
            .toList());
    return Json.text(root);
  }
}
