package moe.engine.wiring;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import moe.engine.plugin.PluginRegistry;
import moe.engine.stage.CapturingRouter;
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
import moe.spi.stage.StageContext;

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

  /// Makes the stages of the only block; the caller closes them.
  ///
  /// @param parameters one for each of `parameters()`
  public MoeStages create(Parameters parameters) {
    return create(parameters, StageContext.Place.ONLY);
  }

  /// Makes the stages of one block; the caller closes them.
  ///
  /// @param parameters one for each of `parameters()`
  /// @param place which of the model's blocks it is
  public MoeStages create(Parameters parameters, StageContext.Place place) {
    List<Stage> made = new ArrayList<>();
    boolean complete = false;
    try {
      MoeStages stages = new Making(parameters, place, made).stages();
      complete = true;
      return stages;
    } finally {
      if (!complete) {
        Closing.all(made.toArray(Stage[]::new));
      }
    }
  }

  /// One block in the making.
  private final class Making {
    private final Parameters parameters;
    private final StageContext.Place place;
    private final List<Stage> made;

    Making(Parameters parameters, StageContext.Place place, List<Stage> made) {
      this.parameters = parameters;
      this.place = place;
      this.made = made;
    }

    MoeStages stages() {
      Router route = captured(make(router));
      return switch (block) {
        case Block.Fused(var _, var fusion) -> new MoeStages.Fused(route, make(fusion));
        case Block.Staged(var dispatcher, var experts, var combiner) -> {
          var staged = new MoeStages.Staged(route, make(dispatcher), make(experts), make(combiner));
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

    private Router captured(Router plain) {
      String directory = router.options().text("capture", "");
      return directory.isEmpty() ? plain : new CapturingRouter(plain, directory, spec, place);
    }

    private <S extends Stage> S make(Choice<S> choice) {
      S stage = choice.create(backend, spec, parameters, place);
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
            ErrorKind.UNSUPPORTED,
            "stage %s has no backward, so it cannot train".formatted(choice));
      }
      return stage;
    }
  }
}
