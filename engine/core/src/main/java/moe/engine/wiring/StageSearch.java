package moe.engine.wiring;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import moe.engine.config.BlockPath;
import moe.engine.plugin.PluginRegistry;
import moe.engine.plugin.Provider;
import moe.engine.plugin.Service;
import moe.spi.Support;
import moe.spi.device.Backend;
import moe.spi.stage.CombinerFactory;
import moe.spi.stage.DispatcherFactory;
import moe.spi.stage.ExpertExecutorFactory;
import moe.spi.stage.FusedMoe;
import moe.spi.stage.FusedMoeFactory;
import moe.spi.stage.LayerSpec;
import moe.spi.stage.Router;
import moe.spi.stage.RouterFactory;
import moe.spi.stage.Stage;
import moe.spi.stage.StageFactory;

/// One search for the stages of a request.
///
/// A path is tried in the order of its speed: fused, staged, baseline. The names in the request
/// must exist on some backend; what this backend lacks or does not support is a refusal of the
/// path.
final class StageSearch {
  private final PluginRegistry registry;
  private final StageRequest request;
  private final LayerSpec spec;
  private final Backend backend;
  private final List<Refusal> refusals = new ArrayList<>();

  StageSearch(PluginRegistry registry, StageRequest request, LayerSpec spec, Backend backend) {
    this.registry = registry;
    this.request = request;
    this.spec = spec;
    this.backend = backend;
  }

  /// What the search came to.
  sealed interface Outcome {}

  record Found(StageSelection selection) implements Outcome {}

  record NotFound(String reason) implements Outcome {}

  Outcome search() {
    requireNames();
    Optional<Choice<Router>> router =
        pick("router", RouterFactory.class, request.router()).flatMap(this::withBase);
    if (router.isEmpty()) {
      return new NotFound(reasons());
    }
    List<BlockPath> paths =
        request.path() == BlockPath.AUTO
            ? List.of(BlockPath.FUSED, BlockPath.STAGED, BlockPath.BASELINE)
            : List.of(request.path());
    for (BlockPath path : paths) {
      Optional<? extends Block> block = path == BlockPath.STAGED ? staged() : fused(path);
      if (block.isPresent()) {
        return new Found(new StageSelection(backend, spec, router.get(), block.get(), refusals));
      }
    }
    return new NotFound(reasons());
  }

  /// A router that builds on another needs that on this backend too.
  private Optional<Choice<Router>> withBase(Choice<Router> choice) {
    if (!(choice.factory() instanceof RouterFactory factory) || factory.base().isEmpty()) {
      return Optional.of(choice);
    }
    return pick("router", RouterFactory.class, StageRequest.Named.of(factory.base().get()))
        .map(base -> new Choice<>(choice.factory(), choice.options(), Optional.of(base.factory())));
  }

  /// Names that no backend has are the user's error, or a plugin's, and no refusal.
  private void requireNames() {
    var _ = registry.require(RouterFactory.class, request.router().type());
    StageRequest standard = StageRequest.STANDARD;
    if (matters(request.dispatcher(), standard.dispatcher())) {
      var _ = registry.require(DispatcherFactory.class, request.dispatcher().type());
    }
    if (matters(request.combiner(), standard.combiner())) {
      var _ = registry.require(CombinerFactory.class, request.combiner().type());
    }
    if (matters(request.experts(), standard.experts()) && fusions().isEmpty()) {
      var _ = registry.require(ExpertExecutorFactory.class, request.experts().type());
    }
  }

  /// Whether the user asked for this stage; on other paths than staged, the standard ones are never
  /// made.
  private boolean matters(StageRequest.Named wanted, StageRequest.Named standard) {
    return request.path() == BlockPath.STAGED || !wanted.type().equals(standard.type());
  }

  private List<Provider<FusedMoeFactory>> fusions() {
    return registry.providers(FusedMoeFactory.class).stream()
        .filter(provider -> provider.factory().experts().equals(request.experts().type()))
        .toList();
  }

  private Optional<Block> staged() {
    var dispatcher = pick("staged", DispatcherFactory.class, request.dispatcher());
    var experts = pick("staged", ExpertExecutorFactory.class, request.experts());
    var combiner = pick("staged", CombinerFactory.class, request.combiner());
    return dispatcher.flatMap(
        d -> experts.flatMap(e -> combiner.map(c -> new Block.Staged(d, e, c))));
  }

  private Optional<Block> fused(BlockPath path) {
    String name = name(path);
    if (!replaceable(request.dispatcher(), StageRequest.STANDARD.dispatcher())
        || !replaceable(request.combiner(), StageRequest.STANDARD.combiner())) {
      refuse(
          name,
          "it would replace dispatcher \"%s\" and combiner \"%s\"; choose path = \"staged\""
              .formatted(request.dispatcher().type(), request.combiner().type()));
      return Optional.empty();
    }
    List<StageFactory<FusedMoe>> candidates = new ArrayList<>();
    for (Provider<FusedMoeFactory> provider : fusions()) {
      if (provider.name().equals(name)) {
        Set<String> unknown = new TreeSet<>(request.experts().options().values().keySet());
        provider.options().forEach(option -> unknown.remove(option.key()));
        if (unknown.isEmpty()) {
          candidates.add(provider.factory());
        } else {
          refuse(name, "it does not know [experts] " + String.join(", ", unknown));
        }
      }
    }
    return best(name, "fusion \"%s\" of experts".formatted(name), candidates, request.experts())
        .map(fusion -> new Block.Fused(path, fusion));
  }

  /// A fusion replaces dispatcher and combiner, so the request's must be the standard ones,
  /// unchanged.
  private static boolean replaceable(StageRequest.Named wanted, StageRequest.Named standard) {
    return wanted.equals(standard);
  }

  private <S extends Stage, F extends StageFactory<S>> Optional<Choice<S>> pick(
      String what, Class<F> service, StageRequest.Named named) {
    List<StageFactory<S>> candidates = new ArrayList<>();
    for (Provider<F> provider : registry.providers(service)) {
      if (provider.name().equals(named.type())) {
        candidates.add(provider.factory());
      }
    }
    return best(what, Service.of(service).noun(), candidates, named);
  }

  /// The candidate written for this backend, or else the one for any, if it supports the block.
  private <S extends Stage> Optional<Choice<S>> best(
      String what, String noun, List<StageFactory<S>> candidates, StageRequest.Named named) {
    String quoted = '"' + named.type() + '"';
    String stage = what.equals(noun) ? quoted : noun + " " + quoted;
    for (String written : List.of(backend.name(), StageFactory.ANY_BACKEND)) {
      for (StageFactory<S> factory : candidates) {
        if (factory.backend().equals(written)) {
          switch (supports(factory)) {
            case Support.Yes() -> {
              return Optional.of(new Choice<>(factory, named.options()));
            }
            case Support.No(String reason) -> refuse(what, stage + ": " + reason);
          }
        }
      }
    }
    boolean elsewhere =
        candidates.stream()
            .noneMatch(factory ->
                factory.backend().equals(backend.name())
                    || factory.backend().equals(StageFactory.ANY_BACKEND));
    if (elsewhere) {
      String others =
          candidates.stream()
              .map(StageFactory::backend)
              .distinct()
              .collect(Collectors.joining(", "));
      refuse(
          what,
          candidates.isEmpty()
              ? stage + " does not exist"
              : "%s exists for %s, not for %s".formatted(stage, others, backend.name()));
    }
    return Optional.empty();
  }

  /// What the factory says; a plugin that throws instead has said no.
  private Support supports(StageFactory<?> factory) {
    try {
      return factory.supports(spec, backend);
    } catch (LinkageError | RuntimeException e) {
      return new Support.No("could not tell whether it supports this block: " + e);
    }
  }

  private void refuse(String what, String reason) {
    refusals.add(new Refusal(what, reason));
  }

  private String reasons() {
    return refusals.stream().map(Refusal::toString).collect(Collectors.joining("; "));
  }

  private static String name(BlockPath path) {
    return path.name().toLowerCase(Locale.ROOT);
  }
}
