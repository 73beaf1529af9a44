package moe.conformance.trial;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.ServiceLoader;
import moe.spi.BackendFactory;
import moe.spi.stage.CombinerFactory;
import moe.spi.stage.DispatcherFactory;
import moe.spi.stage.ExpertExecutorFactory;
import moe.spi.stage.FusedMoeFactory;
import moe.spi.stage.RouterFactory;
import moe.spi.stage.StageFactory;

/// What is tried: a backend and the stages that run on it.
///
/// @param stages those written for this backend and those for any
public record Subject(BackendFactory factory, List<StageFactory<?>> stages) {
  private static final List<Class<? extends StageFactory<?>>> KINDS =
      List.of(
          RouterFactory.class,
          DispatcherFactory.class,
          ExpertExecutorFactory.class,
          CombinerFactory.class,
          FusedMoeFactory.class);

  public Subject {
    String name = factory.name();
    stages =
        stages.stream()
            .<StageFactory<?>>map(stage -> stage)
            .filter(stage ->
                stage.backend().equals(name) || stage.backend().equals(StageFactory.ANY_BACKEND))
            .toList();
  }

  /// This backend with the stages that `ServiceLoader` finds where its factory came from.
  public static Subject of(BackendFactory factory) {
    List<StageFactory<?>> found = new ArrayList<>();
    for (Class<? extends StageFactory<?>> kind : KINDS) {
      ServiceLoader.load(kind, factory.getClass().getClassLoader()).forEach(found::add);
    }
    return new Subject(factory, found);
  }

  /// The stages of one kind.
  public <F extends StageFactory<?>> List<F> stages(Class<F> kind) {
    return stages.stream().filter(kind::isInstance).map(kind::cast).toList();
  }

  /// The stage with this name: the backend's own, or else one for any backend.
  public <F extends StageFactory<?>> Optional<F> find(Class<F> kind, String name) {
    List<F> named = stages(kind).stream().filter(stage -> stage.name().equals(name)).toList();
    return named.stream()
        .filter(stage -> !stage.backend().equals(StageFactory.ANY_BACKEND))
        .findFirst()
        .or(() -> named.stream().findFirst());
  }

  /// The stage with this name.
  ///
  /// @throws Skipped if there is none
  public <F extends StageFactory<?>> F stage(Class<F> kind, String name) {
    return find(kind, name)
        .orElseThrow(() ->
            new Skipped(
                "backend %s has no %s called %s"
                    .formatted(factory.name(), kind.getSimpleName().replace("Factory", ""), name)));
  }
}
