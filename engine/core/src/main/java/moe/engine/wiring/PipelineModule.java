package moe.engine.wiring;

import com.google.inject.AbstractModule;
import com.google.inject.Provides;
import com.google.inject.Singleton;
import moe.engine.config.PipelineConfig;
import moe.engine.plugin.PluginRegistry;
import moe.spi.stage.LayerSpec;

/// Binds what the user asked for, and says how a backend and stages follow from it. Strict: what is
/// not bound here does not exist.
final class PipelineModule extends AbstractModule {
  private final PipelineConfig config;
  private final PluginRegistry registry;
  private final BackendRequest backend;
  private final LayerSpec layer;

  PipelineModule(
      PipelineConfig config, PluginRegistry registry, BackendRequest backend, LayerSpec layer) {
    this.config = config;
    this.registry = registry;
    this.backend = backend;
    this.layer = layer;
  }

  @Override
  protected void configure() {
    binder().disableCircularProxies();
    binder().requireExplicitBindings();
    binder().requireExactBindingAnnotations();
    binder().requireAtInjectOnConstructors();
    bind(PipelineConfig.class).toInstance(config);
    bind(PluginRegistry.class).toInstance(registry);
    bind(BackendRequest.class).toInstance(backend);
    bind(LayerSpec.class).toInstance(layer);
    bind(StageRequest.class).toInstance(StageRequest.of(config));
  }

  /// One provider for the whole, so that a device which fails is asked once, and closed if no
  /// stages fit it.
  @Provides
  @Singleton
  Pipeline pipeline(
      PipelineConfig wanted,
      PluginRegistry providers,
      BackendRequest backends,
      StageRequest stages,
      LayerSpec spec) {
    BackendSelection selection =
        BackendSelection.open(
            providers, backends, open -> StageSelection.supports(providers, stages, spec, open));
    return new Pipeline(
        wanted, selection, StageSelection.choose(providers, stages, spec, selection.backend()));
  }
}
