package moe.engine.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Set;
import moe.spi.device.Activation;
import org.junit.jupiter.api.Test;

final class PipelineConfigTest {
  private final PipelineConfig defaults = PipelineConfig.defaults();

  @Test
  void refusesAValueOutOfRange() {
    assertThatThrownBy(
            () -> with(new MoeSection(0, 1, 8, Activation.GELU, false, true, BlockPath.AUTO)))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("moe.experts: must be between 1 and 65536");
  }

  @Test
  void refusesValuesThatContradictEachOther() {
    assertThatThrownBy(
            () -> with(new MoeSection(4, 5, 8, Activation.GELU, false, true, BlockPath.AUTO)))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("moe.top_k: must be between 1 and experts = 4");
  }

  @Test
  void refusesAWordThatTheKeyDoesNotAllow() {
    assertThatThrownBy(
            () -> with(new MoeSection(4, 2, 8, Activation.NONE, false, true, BlockPath.AUTO)))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("moe.activation: must be one of gelu, silu, relu");
  }

  @Test
  void describesEveryKey() {
    for (Schema.SectionSpec section : Schema.PIPELINE.sections()) {
      assertThat(section.summary()).endsWith(".");
      for (KeySpec key : section.keys()) {
        assertThat(key.summary()).as(section.name() + "." + key.name()).endsWith(".");
        if (key.type() == ValueType.WHOLE || key.type() == ValueType.NUMBER) {
          assertThat(key.least()).as(section.name() + "." + key.name()).isFinite();
        }
      }
    }
  }

  private PipelineConfig with(MoeSection moe) {
    return new PipelineConfig(
        defaults.pipeline(),
        defaults.backend(),
        defaults.precision(),
        defaults.model(),
        moe,
        defaults.router(),
        defaults.dispatcher(),
        defaults.experts(),
        defaults.combiner(),
        defaults.text(),
        defaults.run(),
        defaults.metrics(),
        defaults.energy(),
        defaults.compare(),
        Set.of());
  }
}
