package moe.engine.config;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import moe.spi.stage.Options;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

final class PipelineFileTest {
  @TempDir private Path directory;

  @Test
  void readsTheExampleOfTheProject() {
    PipelineConfig config =
        PipelineFile.read("../../pipelines/distilgpt2.toml", List.of(), new FakeCatalog())
            .orThrow();
    assertThat(config.moe().experts()).isEqualTo(8);
    assertThat(config.run().timeLimit()).hasMinutes(5);
    assertThat(config.given()).contains("router.lambda_energy").doesNotContain("moe.gated");
  }

  @Test
  void anEmptyFileMeansTheDefaults() {
    assertThat(parse("").orThrow()).isEqualTo(PipelineConfig.defaults());
  }

  @Test
  void theResolvedFileGivesTheSameConfiguration() {
    PipelineConfig config =
        parse(
                """
                [pipeline]
                name = 'it''s'
                [model]
                path = 'a "b" \\ c'
                [router]
                lambda_energy = 3e-4
                [combiner]
                type = "windowed"
                slope = -1e-7
                window = 12
                [run]
                learning_rate = 1.7976931348623157e-308
                time_limit = "1d2h3m4s"
                """
                    .replace("'it''s'", "\"it's \\\\ \\\"here\\\"\""))
            .orThrow();
    PipelineConfig again = parse(config.toToml()).orThrow();
    assertThat(again.toToml()).isEqualTo(config.toToml());
    assertThat(again).usingRecursiveComparison().ignoringFields("given").isEqualTo(config);
    assertThat(again.given()).contains("moe.gated", "combiner.slope");
  }

  /// TOML4J alone computes 3·10⁻⁴ and gets 3.0000000000000003E-4.
  @ParameterizedTest
  @CsvSource({"3e-4", "3E-4", "0.0003", "0.3e-3", "30.0e-5", "1", "1.0", "9_9e-1_0", "4.9e-324"})
  void readsANumberAsJavaDoes(String written) {
    PipelineConfig config = parse("[run]\nlearning_rate = " + written).orThrow();
    assertThat(config.run().learningRate()).isEqualTo(Double.parseDouble(written.replace("_", "")));
  }

  @Test
  void givesAStageAllSettingsOfItsSectionButItsType() {
    PipelineConfig config = parse("[router]\nttt = \"lm\"\nttt_every = 7\n").orThrow();
    Options settings = config.router().settings();
    assertThat(settings.text("ttt", "")).isEqualTo("lm");
    assertThat(settings.text("balance", "")).isEqualTo("bias");
    assertThat(settings.number("ttt_every", 0)).isEqualTo(7);
    assertThat(settings.number("lambda_energy", 0)).isEqualTo(0.001);
    assertThat(settings.flag("keep_top1", false)).isTrue();
    assertThat(settings.values()).doesNotContainKey("type");
  }

  @Test
  void saysWhyAFileCannotBeRead() throws IOException {
    Path large = Files.write(directory.resolve("large.toml"), new byte[TextCheck.MAX_BYTES + 1]);
    assertThat(problems("nowhere/x.toml")).containsExactly("nowhere/x.toml: no such file");
    assertThat(problems(directory.toString()))
        .containsExactly(directory + ": is a directory; name the pipeline file in it");
    assertThat(problems(large.toString()))
        .containsExactly(large + ": larger than 1 MiB, which no pipeline file is");
    assertThat(problems("/dev/zero"))
        .containsExactly(
            "/dev/zero: not a regular file; name a file, or /dev/stdin for what a pipe holds");
    String deep = "nowhere/".repeat(30) + "x.toml";
    assertThat(problems(deep)).containsExactly(deep + ": no such file");
    assertThat(problems("a\0b")).containsExactly("a\\u0000b: is not the name of a file");
  }

  @Test
  void showsTheFirstProblemsOfVeryMany() {
    List<Problem> problems = ((Reading.Invalid) parse("nonsense\n".repeat(100_000))).problems();
    assertThat(problems).hasSize(Problems.MAX_SHOWN + 1);
    assertThat(problems.getFirst().place()).isEqualTo("x.toml:1");
    assertThat(problems.getLast()).hasToString("x.toml: more problems follow; solve these first");
  }

  private List<String> problems(String file) {
    return ((Reading.Invalid) PipelineFile.read(file, List.of(), new FakeCatalog()))
        .problems().stream().map(Problem::toString).toList();
  }

  private static Reading parse(String text) {
    return PipelineFile.parse(
        "x.toml", text.getBytes(StandardCharsets.UTF_8), List.of(), new FakeCatalog());
  }
}
