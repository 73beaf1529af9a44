package moe.engine.plugin;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;
import moe.engine.config.StageCatalog;
import moe.engine.config.Suggestion;
import moe.spi.Factory;
import moe.spi.error.ErrorKind;
import moe.spi.error.MoeException;
import moe.spi.stage.StageFactory;
import org.jspecify.annotations.Nullable;

/// All providers of the SPI that loaded, and all that did not. Immutable, for any thread.
///
/// Closing it closes the class loaders of the plugins, so it outlives everything its factories
/// made.
public final class PluginRegistry implements AutoCloseable {
  /// The system property, set by the launcher, with the home directory that holds `plugins`.
  public static final String HOME_PROPERTY = "moe.home";

  private final List<Provider<?>> providers;
  private final List<PluginFault> faults;
  private final List<PluginClassLoader> loaders;

  PluginRegistry(
      List<Provider<?>> providers, List<PluginFault> faults, List<PluginClassLoader> loaders) {
    this.providers = List.copyOf(providers);
    this.faults = List.copyOf(faults);
    this.loaders = List.copyOf(loaders);
  }

  /// The providers on the class path and in `plugins` below the home directory, if there is one.
  public static PluginRegistry load() {
    return load(pluginsDirectory().orElse(null));
  }

  /// The providers on the class path and in the directories below `plugins`.
  ///
  /// @param plugins may be missing; null for the class path alone
  public static PluginRegistry load(@Nullable Path plugins) {
    ProviderCollector collector = new ProviderCollector();
    collector.addClassPath(PluginRegistry.class.getClassLoader());
    if (plugins != null) {
      collector.addPlugins(plugins);
    }
    return collector.registry();
  }

  /// Exactly these factories, for tests and for programs that embed the engine.
  public static PluginRegistry of(Factory... factories) {
    ProviderCollector collector = new ProviderCollector();
    Arrays.stream(factories).forEach(collector::add);
    return collector.registry();
  }

  /// Where plugins are looked for; empty if the home directory is not known.
  public static Optional<Path> pluginsDirectory() {
    return Optional.ofNullable(System.getProperty(HOME_PROPERTY))
        .map(home -> Path.of(home, "plugins"));
  }

  /// Where each plugin that provides something came from.
  public List<String> plugins() {
    return providers.stream()
        .map(Provider::source)
        .filter(source -> !source.equals(Provider.CLASS_PATH))
        .distinct()
        .toList();
  }

  /// The providers of one service type, by name and then by backend.
  public <F extends Factory> List<Provider<F>> providers(Class<F> service) {
    List<Provider<F>> found = new ArrayList<>();
    for (Provider<?> provider : providers) {
      if (service.isInstance(provider.factory())) {
        F factory = service.cast(provider.factory());
        found.add(
            new Provider<>(
                factory,
                provider.name(),
                provider.backend(),
                provider.options(),
                provider.source()));
      }
    }
    return found;
  }

  /// The names and settings that pipeline files may use.
  public StageCatalog catalog() {
    return new InstalledStages(this);
  }

  /// What is not in use, and why.
  public List<PluginFault> faults() {
    return faults;
  }

  /// The factory with this name for this backend: one written for it, or else one that runs on any.
  public <F extends Factory> Optional<F> find(Class<F> service, String name, String backend) {
    List<Provider<F>> named = named(service, name);
    return named.stream()
        .filter(provider -> provider.backend().equals(backend))
        .findFirst()
        .or(() -> named.stream().filter(PluginRegistry::anyBackend).findFirst())
        .map(Provider::factory);
  }

  /// Whether any backend has a provider with this name.
  boolean exists(Class<? extends Factory> service, String name) {
    return !named(service, name).isEmpty();
  }

  /// All providers with this name, whatever their backend.
  ///
  /// @throws MoeException if there is none: kind `PLUGIN` if one that did not load may be meant,
  ///   otherwise kind `USAGE`
  public <F extends Factory> List<Provider<F>> require(Class<F> service, String name) {
    List<Provider<F>> named = named(service, name);
    if (named.isEmpty()) {
      throw missing(service, name);
    }
    return named;
  }

  @Override
  public void close() {
    loaders.forEach(PluginClassLoader::close);
  }

  private <F extends Factory> List<Provider<F>> named(Class<F> service, String name) {
    return providers(service).stream().filter(provider -> provider.name().equals(name)).toList();
  }

  private <F extends Factory> MoeException missing(Class<F> service, String name) {
    List<String> names = providers(service).stream().map(Provider::name).distinct().toList();
    String noun = Service.of(service).noun();
    String there = names.isEmpty() ? "there is none" : "there are: " + String.join(", ", names);
    String message = "no %s is called \"%s\"; %s.".formatted(noun, name, there);
    String suggestion = Suggestion.sentence(name, names);
    List<PluginFault> suspects =
        faults.stream()
            .filter(fault -> fault.mayExplain(service, name))
            .filter(fault -> name.equals(fault.name()) || suggestion.isEmpty())
            .toList();
    if (suspects.isEmpty()) {
      return new MoeException(ErrorKind.USAGE, message + suggestion);
    }
    String reasons = suspects.stream().map(PluginFault::toString).collect(Collectors.joining("; "));
    return new MoeException(
        ErrorKind.PLUGIN, message + " A plugin that may have it did not load: " + reasons);
  }

  private static boolean anyBackend(Provider<?> provider) {
    return provider.backend().equals(StageFactory.ANY_BACKEND);
  }
}
