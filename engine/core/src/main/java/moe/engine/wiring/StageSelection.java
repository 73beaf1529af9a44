package moe.engine.wiring;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import moe.engine.plugin.PluginRegistry;
import moe.spi.Support;
import moe.spi.device.Backend;
import moe.spi.error.ErrorKind;
import moe.spi.error.MoeException;
import moe.spi.stage.Combiner;
import moe.spi.stage.Dispatcher;
import moe.spi.stage.ExpertExecutor;
import moe.spi.stage.FusedMoe;
import moe.spi.stage.LayerSpec;
import moe.spi.stage.ParameterSpec;
import moe.spi.stage.Parameters;
import moe.spi.stage.Router;
import moe.spi.stage.Stage;

/// The stages chosen for all MoE blocks of one shape on one backend, and why faster ones were
/// refused.
///
/// ```
/// StageSelection stages = StageSelection.choose(registry, StageRequest.STANDARD, spec, backend);
/// Parameters parameters = allocate(stages.parameters());
/// try (MoeStages block = stages.create(parameters)) { … }
/// ```
public record StageSelection(
    Backend backend, LayerSpec spec, Choice<Router> router, Block block, List<Refusal> refusals) {
  public StageSelection {
    refusals = List.copyOf(refusals);
  }

  /// Chooses the stages of this request.
  ///
  /// @throws MoeException kind `UNSUPPORTED` with all reasons if the backend cannot run them; kinds
  ///   `USAGE` or `PLUGIN` if one of them does not exist at all
  public static StageSelection choose(
      PluginRegistry registry, StageRequest request, LayerSpec spec, Backend backend) {
    return switch (new StageSearch(registry, request, spec, backend).search()) {
      case StageSearch.Found(StageSelection selection) -> selection;
      case StageSearch.NotFound(String reason) ->
          throw new MoeException(
              ErrorKind.UNSUPPORTED, "backend %s: %s".formatted(backend.name(), reason));
    };
  }

  /// Whether `choose` would find stages.
  public static Support supports(
      PluginRegistry registry, StageRequest request, LayerSpec spec, Backend backend) {
    return switch (new StageSearch(registry, request, spec, backend).search()) {
      case StageSearch.Found(var _) -> Support.YES;
      case StageSearch.NotFound(String reason) -> new Support.No(reason);
    };
  }

  /// The trained tensors of one block: the router's first.
  public List<ParameterSpec> parameters() {
    return Stream.concat(router.parameters(spec).stream(), block.parameters(spec).stream())
        .toList();
  }

  /// Makes the stages of one block; the caller closes them.
  ///
  /// @param parameters one for each of `parameters()`
  public MoeStages create(Parameters parameters) {
    List<Stage> made = new ArrayList<>();
    boolean complete = false;
    try {
      MoeStages stages = create(parameters, made);
      complete = true;
      return stages;
    } finally {
      if (!complete) {
        Closing.all(made.toArray(Stage[]::new));
      }
    }
  }

  private MoeStages create(Parameters parameters, List<Stage> made) {
    Router route = make(router, parameters, made);
    return switch (block) {
      case Block.Fused(var _, var fusion) ->
          new MoeStages.Fused(route, make(fusion, parameters, made));
      case Block.Staged(var dispatcher, var experts, var combiner) -> {
        var staged =
            new MoeStages.Staged(
                route,
                make(dispatcher, parameters, made),
                make(experts, parameters, made),
                make(combiner, parameters, made));
        if (staged.experts().needsRows() && !staged.dispatcher().copiesRows()) {
          throw new MoeException(
              ErrorKind.UNSUPPORTED,
              "experts %s need copied rows, which dispatcher %s does not make; choose another"
                  .formatted(experts, dispatcher));
        }
        yield staged;
      }
    };
  }

  private <S extends Stage> S make(Choice<S> choice, Parameters parameters, List<Stage> made) {
    S stage = choice.create(backend, spec, parameters);
    made.add(stage);
    boolean trains =
        switch (stage) {
          case Router r -> r.backward().isPresent();
          case Dispatcher d -> d.backward().isPresent();
          case ExpertExecutor e -> e.backward().isPresent();
          case Combiner c -> c.backward().isPresent();
          case FusedMoe f -> f.backward().isPresent();
        };
    if (spec.training() && !trains) {
      throw new MoeException(
          ErrorKind.UNSUPPORTED, "stage %s has no backward, so it cannot train".formatted(choice));
    }
    return stage;
  }
}
