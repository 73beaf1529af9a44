package moe.engine.plugin;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.Iterator;
import java.util.List;
import java.util.ServiceConfigurationError;
import java.util.ServiceLoader;
import moe.spi.Factory;
import moe.spi.SpiVersion;
import moe.spi.stage.FusedMoeFactory;
import moe.spi.stage.OptionSpec;
import moe.spi.stage.StageFactory;
import org.jspecify.annotations.Nullable;

/// Asks every provider who it is, once, and sorts the good from the bad.
final class ProviderCollector {
  /// A source with more faults than this is given up.
  private static final int MAX_FAULTS = 100;

  private final List<Provider<?>> providers = new ArrayList<>();
  private final List<PluginFault> faults = new ArrayList<>();
  private final List<PluginClassLoader> loaders = new ArrayList<>();

  void addClassPath(ClassLoader loader) {
    for (Service service : Service.values()) {
      addAll(service.type(), loader, Provider.CLASS_PATH);
    }
  }

  void addPlugins(Path plugins) {
    new PluginDirectories(plugins, this).addAll();
  }

  void own(PluginClassLoader loader) {
    loaders.add(loader);
  }

  /// Records what is wrong with a file or directory.
  void fault(Path source, String reason, @Nullable Throwable cause) {
    faults.add(new PluginFault(source.toString(), null, null, reason, cause));
  }

  void add(Factory factory) {
    for (Service service : Service.values()) {
      if (service.type().isInstance(factory)) {
        add(service.type(), factory, Provider.CLASS_PATH);
      }
    }
  }

  PluginRegistry registry() {
    providers.sort(
        Comparator.<Provider<?>, String>comparing(Provider::name).thenComparing(Provider::backend));
    return new PluginRegistry(providers, faults, loaders);
  }

  /// Adds all providers of one service type that `loader` declares.
  ///
  /// @return how many were declared, good and bad
  int addAll(Class<? extends Factory> service, ClassLoader loader, String source) {
    Iterator<? extends Factory> declared = ServiceLoader.load(service, loader).iterator();
    int count = 0;
    int bad = 0;
    while (bad < MAX_FAULTS) {
      try {
        if (!declared.hasNext()) {
          break;
        }
        count++;
        add(service, declared.next(), source);
      } catch (ServiceConfigurationError | LinkageError e) {
        bad++;
        faults.add(new PluginFault(source, service, null, Causes.reason(e), e));
      }
    }
    return count + bad;
  }

  private void add(Class<? extends Factory> service, Factory factory, String source) {
    String type = factory.getClass().getName();
    String name = null;
    try {
      int version = factory.spiVersion();
      name = factory.name();
      String flaw = flaw(service, factory, name, version);
      if (flaw == null) {
        providers.add(new Provider<>(factory, name, backend(factory), options(factory), source));
      } else {
        faults.add(new PluginFault(source, service, name, type + ": " + flaw, null));
      }
    } catch (LinkageError | RuntimeException e) {
      faults.add(new PluginFault(source, service, name, type + ": " + Causes.reason(e), e));
    }
  }

  private @Nullable String flaw(
      Class<? extends Factory> service, Factory factory, @Nullable String name, int version) {
    if (version != SpiVersion.CURRENT) {
      return "compiled against version %d of the SPI, this engine has %d; compile it again"
          .formatted(version, SpiVersion.CURRENT);
    }
    if (name == null || !name.matches("[a-z0-9]+(-[a-z0-9]+)*")) {
      return "its name is \"%s\"; it must be lower case words joined by hyphens".formatted(name);
    }
    for (Provider<?> other : providers) {
      if (other.name().equals(name)
          && service.isInstance(other.factory())
          && other.backend().equals(backend(factory))
          && experts(other.factory()).equals(experts(factory))) {
        return "its name \"%s\" is taken by %s of %s"
            .formatted(name, other.factory().getClass().getName(), other.source());
      }
    }
    return null;
  }

  private static String backend(Factory factory) {
    return factory instanceof StageFactory<?> stages ? stages.backend() : StageFactory.ANY_BACKEND;
  }

  private static List<OptionSpec> options(Factory factory) {
    return factory instanceof StageFactory<?> stages ? stages.options() : List.of();
  }

  /// Fusions of several expert types share the names `fused` and `baseline`.
  private static String experts(Factory factory) {
    return factory instanceof FusedMoeFactory fusion ? fusion.experts() : "";
  }
}
