package moe.engine.wiring;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import moe.engine.config.BlockPath;
import moe.engine.plugin.PluginRegistry;
import moe.spi.Factory;
import moe.spi.device.Activation;
import moe.spi.device.DType;
import moe.spi.device.DeviceInfo;
import moe.spi.error.ErrorKind;
import moe.spi.error.MoeException;
import moe.spi.stage.LayerSpec;
import moe.spi.stage.Options;
import moe.spi.stage.ParameterSpec;
import moe.spi.stage.Parameters;
import org.junit.jupiter.api.Test;

final class StageSelectionTest {
  private static final StageRequest STANDARD = StageRequest.STANDARD;

  private final FakeBackend cpu = new FakeBackend(new DeviceInfo("cpu", 0, "Zen 4", 0));
  private final FakeStages.Routers router = new FakeStages.Routers("topk", "*");
  private final FakeStages.Dispatchers dispatcher = new FakeStages.Dispatchers("sorted", "cpu");
  private final FakeStages.Executors experts = new FakeStages.Executors("fused-ffn", "cpu", false);
  private final FakeStages.Combiners combiner = new FakeStages.Combiners("weighted-sum", "cpu");
  private final FakeStages.Fusions fused = new FakeStages.Fusions("fused", "fused-ffn", "cpu");
  private final FakeStages.Fusions baseline = new FakeStages.Fusions("baseline", "fused-ffn", "*");

  @Test
  void autoTakesTheFusion() {
    StageSelection selection = choose(STANDARD, all());
    assertThat(selection.block()).isInstanceOf(Block.Fused.class);
    assertThat(selection.block().path()).isEqualTo(BlockPath.FUSED);
    assertThat(selection.refusals()).isEmpty();
    assertThat(selection.parameters())
        .extracting(ParameterSpec::name)
        .containsExactly("topk", "fused");
  }

  @Test
  void autoGoesOnToTheStagesAndSaysWhy() {
    fused.refusing("dHidden = 130: must be a multiple of 8");
    StageSelection selection = choose(STANDARD, all());
    assertThat(selection.block().path()).isEqualTo(BlockPath.STAGED);
    assertThat(selection.refusals())
        .containsExactly(
            new Refusal(
                "fused",
                "fusion \"fused\" of experts \"fused-ffn\": dHidden = 130: must be a multiple of"
                    + " 8"));
  }

  @Test
  void autoEndsWithTheBaseline() {
    StageSelection selection = choose(STANDARD, router, dispatcher, combiner, baseline);
    assertThat(selection.block().path()).isEqualTo(BlockPath.BASELINE);
    assertThat(selection.refusals())
        .extracting(Refusal::toString)
        .containsExactly(
            "fused: fusion \"fused\" of experts \"fused-ffn\" does not exist",
            "staged: expert executor \"fused-ffn\" does not exist");
  }

  @Test
  void takesThePathAskedForOrNone() {
    assertThat(choose(STANDARD.on(BlockPath.STAGED), all()).block().path())
        .isEqualTo(BlockPath.STAGED);
    assertThat(choose(STANDARD.on(BlockPath.BASELINE), all()).block().path())
        .isEqualTo(BlockPath.BASELINE);
    fused.refusing("no");
    assertUnsupported(
        STANDARD.on(BlockPath.FUSED),
        "backend cpu: fused: fusion \"fused\" of experts \"fused-ffn\": no",
        all());
  }

  @Test
  void prefersTheFactoryWrittenForTheBackend() {
    FakeStages.Routers own = new FakeStages.Routers("topk", "cpu");
    assertThat(choose(STANDARD, and(own)).router().factory()).isSameAs(own);
    own.refusing("experts = 8: must be even and odd");
    StageSelection selection = choose(STANDARD, and(own));
    assertThat(selection.router().factory()).isSameAs(router);
    assertThat(selection.refusals())
        .containsExactly(new Refusal("router", "\"topk\": experts = 8: must be even and odd"));
  }

  @Test
  void saysForWhichBackendsAStageExists() {
    assertUnsupported(
        STANDARD,
        "backend cpu: router: \"topk\" exists for cuda, opencl, not for cpu",
        new FakeStages.Routers("topk", "cuda"),
        new FakeStages.Routers("topk", "opencl"),
        fused);
  }

  @Test
  void aFusionDoesNotReplaceWhatTheUserAskedFor() {
    StageRequest other =
        new StageRequest(
            BlockPath.AUTO,
            STANDARD.router(),
            STANDARD.dispatcher(),
            STANDARD.experts(),
            StageRequest.Named.of("median"));
    StageSelection selection = choose(other, and(new FakeStages.Combiners("median", "*")));
    assertThat(selection.block().path()).isEqualTo(BlockPath.STAGED);
    assertThat(selection.refusals().getFirst().reason())
        .isEqualTo(
            "it would replace dispatcher \"sorted\" and combiner \"median\"; choose path ="
                + " \"staged\"");
  }

  @Test
  void aFusionMustKnowTheSettingsOfTheExperts() {
    StageRequest other =
        new StageRequest(
            BlockPath.AUTO,
            STANDARD.router(),
            STANDARD.dispatcher(),
            new StageRequest.Named("fused-ffn", new Options(Map.of("capacity", 2L))),
            STANDARD.combiner());
    StageSelection selection = choose(other, all());
    assertThat(selection.block().path()).isEqualTo(BlockPath.STAGED);
    assertThat(selection.refusals())
        .contains(new Refusal("fused", "it does not know [experts] capacity"));
  }

  @Test
  void aNameThatNobodyKnowsIsAMisspelling() {
    StageRequest other =
        new StageRequest(
            BlockPath.AUTO,
            StageRequest.Named.of("topkk"),
            STANDARD.dispatcher(),
            STANDARD.experts(),
            STANDARD.combiner());
    assertThatThrownBy(() -> choose(other, all()))
        .hasMessage("no router is called \"topkk\"; there are: topk. Did you mean topk?")
        .isInstanceOfSatisfying(
            MoeException.class, e -> assertThat(e.kind()).isEqualTo(ErrorKind.USAGE));
  }

  @Test
  void makesTheStagesAndClosesThemAll() {
    try (MoeStages stages =
        choose(STANDARD.on(BlockPath.STAGED), all()).create(new Parameters(List.of()))) {
      assertThat(stages).isInstanceOf(MoeStages.Staged.class);
      assertThat(router.closed).isEmpty();
    }
    assertThat(router.closed).hasSize(1);
    assertThat(dispatcher.closed).hasSize(1);
    assertThat(experts.closed).hasSize(1);
    assertThat(combiner.closed).hasSize(1);
  }

  @Test
  void refusesToTrainWithAStageThatCannotAndClosesTheOthers() {
    StageSelection selection =
        StageSelection.choose(
            PluginRegistry.of(all()), STANDARD.on(BlockPath.STAGED), layer(true), cpu);
    assertThatThrownBy(() -> selection.create(new Parameters(List.of())))
        .hasMessage("stage sorted (cpu) has no backward, so it cannot train");
    assertThat(router.closed).hasSize(1);
    assertThat(dispatcher.closed).hasSize(1);
  }

  @Test
  void refusesExpertsThatNeedRowsNobodyCopies() {
    FakeStages.Executors needy = new FakeStages.Executors("fused-ffn", "cpu", true);
    StageSelection selection =
        choose(STANDARD.on(BlockPath.STAGED), router, dispatcher, needy, combiner);
    assertThatThrownBy(() -> selection.create(new Parameters(List.of())))
        .hasMessageContaining("need copied rows, which dispatcher sorted (cpu) does not make");
    assertThat(needy.closed).hasSize(1);
  }

  private Factory[] all() {
    return new Factory[] {router, dispatcher, experts, combiner, fused, baseline};
  }

  private Factory[] and(Factory more) {
    List<Factory> factories = new ArrayList<>(Arrays.asList(all()));
    factories.add(more);
    return factories.toArray(Factory[]::new);
  }

  private StageSelection choose(StageRequest request, Factory... factories) {
    return StageSelection.choose(PluginRegistry.of(factories), request, layer(false), cpu);
  }

  private void assertUnsupported(StageRequest request, String message, Factory... factories) {
    assertThatThrownBy(() -> choose(request, factories))
        .hasMessage(message)
        .isInstanceOfSatisfying(
            MoeException.class, e -> assertThat(e.kind()).isEqualTo(ErrorKind.UNSUPPORTED));
  }

  private static LayerSpec layer(boolean training) {
    return new LayerSpec(64, 8, 16, 8, 2, Activation.GELU, false, true, DType.F32, training);
  }
}
