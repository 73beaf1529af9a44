package moe.engine.plugin;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import moe.engine.config.StageCatalog;
import moe.spi.BackendFactory;
import moe.spi.EnergyMeterFactory;
import moe.spi.error.MoeException;
import moe.spi.stage.CombinerFactory;
import moe.spi.stage.DispatcherFactory;
import moe.spi.stage.ExpertExecutorFactory;
import moe.spi.stage.FusedMoeFactory;
import moe.spi.stage.OptionSpec;
import moe.spi.stage.RouterFactory;
import moe.spi.stage.StageFactory;

/// The providers of a registry as pipeline files see them.
final class InstalledStages implements StageCatalog {
  private final PluginRegistry registry;

  InstalledStages(PluginRegistry registry) {
    this.registry = registry;
  }

  /// The engine's own backends, installed or not, so that one file fits all machines, and those of
  /// plugins.
  @Override
  public List<String> backends() {
    List<String> names = new ArrayList<>(STANDARD_BACKENDS);
    for (Provider<BackendFactory> provider : registry.providers(BackendFactory.class)) {
      if (!names.contains(provider.name())) {
        names.add(provider.name());
      }
    }
    return names;
  }

  @Override
  public List<String> meters() {
    List<String> names = new ArrayList<>(STANDARD_METERS);
    registry.providers(EnergyMeterFactory.class).forEach(provider -> names.add(provider.name()));
    return names;
  }

  @Override
  public Entry stage(String section, String type) {
    return switch (section) {
      case "router" -> entry(RouterFactory.class, type, List.of());
      case "dispatcher" -> entry(DispatcherFactory.class, type, List.of());
      case "experts" -> entry(ExpertExecutorFactory.class, type, fusions(type));
      case "combiner" -> entry(CombinerFactory.class, type, List.of());
      default -> throw new IllegalArgumentException("[" + section + "] chooses no stage");
    };
  }

  /// The fusions that stand for this type of experts.
  private List<Provider<FusedMoeFactory>> fusions(String type) {
    return registry.providers(FusedMoeFactory.class).stream()
        .filter(provider -> provider.factory().experts().equals(type))
        .toList();
  }

  private <F extends StageFactory<?>> Entry entry(
      Class<F> service, String type, List<Provider<FusedMoeFactory>> fusions) {
    List<Provider<?>> providers = new ArrayList<>(fusions);
    if (providers.isEmpty() || registry.exists(service, type)) {
      try {
        providers.addAll(registry.require(service, type));
      } catch (MoeException e) {
        return new Missing(e.getMessage(), e.kind());
      }
    }
    Map<String, OptionSpec> options = new LinkedHashMap<>();
    for (Provider<?> provider : providers) {
      provider.options().forEach(option -> options.putIfAbsent(option.key(), option));
    }
    return new Installed(List.copyOf(options.values()));
  }
}
