package moe.engine.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import moe.spi.error.ErrorKind;
import moe.spi.error.MoeException;
import moe.spi.stage.Options;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

final class OverridesTest {
  private static final String FILE = "[moe]\ntop_k = 2\nexperts = 4\n";

  @Test
  void replacesTheValueOfTheFile() {
    PipelineConfig config = config("moe.top_k=1");
    assertThat(config.moe().topK()).isEqualTo(1);
    assertThat(config.moe().experts()).isEqualTo(4);
    assertThat(config.given()).containsExactlyInAnyOrder("moe.top_k", "moe.experts");
  }

  @Test
  void takesTheLastOfSeveral() {
    assertThat(config("moe.top_k=1", "moe.top_k=3").moe().topK()).isEqualTo(3);
  }

  @Test
  void needsNoQuotesForTextsWordsAndDurations() {
    PipelineConfig config =
        config(
            "pipeline.name=42",
            "model.path=C:\\new 'x' \"y\"",
            "moe.activation=silu",
            "run.time_limit=1h30m",
            "run.mode=\"evaluate\"",
            "text.path=");
    assertThat(config.pipeline().name()).isEqualTo("42");
    assertThat(config.model().path()).isEqualTo("C:\\new 'x' \"y\"");
    assertThat(config.moe().activation()).isEqualTo(moe.spi.device.Activation.SILU);
    assertThat(config.run().timeLimit()).isEqualTo(Duration.ofMinutes(90));
    assertThat(config.run().mode()).isEqualTo(RunMode.EVALUATE);
    assertThat(config.text().path()).isEmpty();
  }

  @Test
  void needsNoBracketsForLists() {
    assertThat(config("backend.prefer=cpu, cuda").backend().prefer())
        .containsExactly("cpu", "cuda");
    assertThat(config("backend.prefer=['cpu']").backend().prefer()).containsExactly("cpu");
    assertThat(config("backend.device=1").backend().device()).isEqualTo("1");
  }

  @Test
  void setsAStagesOwnSettings() {
    PipelineConfig config =
        config(
            "combiner.type=windowed",
            "combiner.window=3",
            "combiner.slope=1",
            "combiner.shape=hann",
            "combiner.label=7",
            "combiner.smooth=true");
    assertThat(config.combiner().options())
        .isEqualTo(
            new Options(
                Map.of("window", 3L, "slope", 1.0, "shape", "hann", "label", "7", "smooth", true)));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "moe.top_k=5|[moe] top_k = 5: must be between 1 and experts = 4",
        "moe.top_k=two|[moe] top_k: two is not a value; a text needs quotes: \"two\"",
        "moe.top_k=|[moe] top_k: the value is missing; write key = value",
        "moe.top_k=1 2|[moe] top_k: \"2\" after the value",
        "moe.topk=1|[moe] topk: unknown key. Did you mean top_k?",
        "router.top_k=1|[router] top_k: unknown key. Did you mean top_k in [moe]?",
        "mo.top_k=1|[mo]: unknown section. Did you mean [moe]?",
        "moe.activation=gleu|[moe] activation = \"gleu\": must be one of gelu, silu, relu. Did you"
            + " mean gelu?",
        "top_k=1|write --set section.key=value, for example --set moe.top_k=1",
        "moe.top_k|write --set section.key=value, for example --set moe.top_k=1",
        "moe.top k=1|section and key have letters, digits, _ and - only",
      })
  void isCheckedAsTheFileIs(String override, String text) {
    assertThat(problems(override)).containsExactly("--set " + override + ": " + text);
  }

  @Test
  void doesNotBlameTheFileForWhatItReplaces() {
    byte[] file = "[moe]\ntop_k = 9\nexperts = 4\n".getBytes(StandardCharsets.UTF_8);
    Reading reading = PipelineFile.parse("x.toml", file, List.of("moe.top_k=4"), new FakeCatalog());
    assertThat(reading.orThrow().moe().topK()).isEqualTo(4);
  }

  @Test
  void showsProblemsOfFileAndOverridesTogether() {
    byte[] file = "[moe]\ntopk = 9\n".getBytes(StandardCharsets.UTF_8);
    assertThatThrownBy(() ->
            PipelineFile.parse("x.toml", file, List.of("run.epoch=4"), new FakeCatalog()).orThrow())
        .isInstanceOfSatisfying(
            MoeException.class, e -> assertThat(e.kind()).isEqualTo(ErrorKind.USAGE))
        .hasMessage(
            """
            x.toml has 2 problems
            x.toml:2: [moe] topk: unknown key. Did you mean top_k?
            --set run.epoch=4: [run] epoch: unknown key. Did you mean epochs?\
            """);
  }

  @Test
  void blamesThePluginThatDidNotLoad() {
    Reading reading =
        PipelineFile.parse("x.toml", new byte[0], List.of("router.type=faulty"), new FakeCatalog());
    assertThat(reading)
        .isInstanceOfSatisfying(
            Reading.Invalid.class,
            invalid -> assertThat(invalid.kind()).isEqualTo(ErrorKind.PLUGIN));
  }

  private static PipelineConfig config(String... overrides) {
    return reading(overrides).orThrow();
  }

  private static List<String> problems(String... overrides) {
    return reading(overrides) instanceof Reading.Invalid invalid
        ? invalid.problems().stream().map(Problem::toString).toList()
        : List.of();
  }

  private static Reading reading(String... overrides) {
    return PipelineFile.parse(
        "x.toml", FILE.getBytes(StandardCharsets.UTF_8), List.of(overrides), new FakeCatalog());
  }
}
