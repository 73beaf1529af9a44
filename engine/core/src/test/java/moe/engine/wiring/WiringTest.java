package moe.engine.wiring;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import moe.engine.config.PipelineConfig;
import moe.engine.plugin.PluginRegistry;
import moe.spi.error.ErrorKind;
import moe.spi.error.MoeException;
import org.junit.jupiter.api.Test;

final class WiringTest {
  private final PipelineConfig config = PipelineConfig.defaults();
  private final FakeBackendFactory cuda = FakeBackendFactory.with("cuda", "H200");
  private final FakeBackendFactory cpu = FakeBackendFactory.with("cpu", "Zen 4");
  private final PluginRegistry registry =
      PluginRegistry.of(
          cuda,
          cpu,
          new FakeStages.Routers("topk", "*"),
          new FakeStages.Fusions("fused", "fused-ffn", "cpu"));

  @Test
  void opensTheFirstBackendThatCanRunEveryStage() {
    try (Pipeline pipeline = open(BackendRequest.of(config))) {
      assertThat(pipeline.config()).isSameAs(config);
      assertThat(pipeline.backend().backend().name()).isEqualTo("cpu");
      assertThat(pipeline.stages().backend()).isSameAs(pipeline.backend().backend());
      assertThat(pipeline.backend().refusals())
          .extracting(Refusal::what)
          .containsExactly("cuda", "opencl");
      assertThat(cuda.opened()).singleElement().matches(FakeBackend::closed);
    }
    assertThat(cpu.opened()).singleElement().matches(FakeBackend::closed);
  }

  @Test
  void givesTheRouterTheSettingsOfItsSection() {
    try (Pipeline pipeline = open(BackendRequest.of(config))) {
      assertThat(pipeline.stages().router().options().text("balance", "")).isEqualTo("bias");
    }
  }

  @Test
  void turnsTheRefusalOfTheOneAskedForIntoAnError() {
    assertThatThrownBy(() -> open(BackendRequest.only("cuda")))
        .hasMessageContaining("backend cuda: ")
        .hasMessageContaining(
            "fusion \"fused\" of experts \"fused-ffn\" exists for cpu, not for cuda")
        .isInstanceOfSatisfying(
            MoeException.class, e -> assertThat(e.kind()).isEqualTo(ErrorKind.DEVICE));
    assertThat(cuda.opened()).singleElement().matches(FakeBackend::closed);
  }

  @Test
  void sizesTheBlocksForTheLargestBatch() {
    assertThat(Wiring.layer(config).maxTokens()).isEqualTo(16 * 64);
    assertThat(Wiring.layer(config).training()).isTrue();
    assertThat(Wiring.layer(config).maxSlots()).isEqualTo(16 * 64 * 2);
  }

  @Test
  void refusesNothingToBePreferred() {
    assertThatThrownBy(() -> new BackendRequest(List.of(), "auto"))
        .isInstanceOf(IllegalArgumentException.class);
  }

  private Pipeline open(BackendRequest request) {
    return Wiring.open(config, registry, Wiring.layer(config), request);
  }
}
