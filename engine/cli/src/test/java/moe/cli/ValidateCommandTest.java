package moe.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class ValidateCommandTest {
  private static final String STAGES =
      """
      [router]
      type = "named-only"
      [dispatcher]
      type = "named-only"
      [experts]
      type = "named-only"
      window = 2
      [combiner]
      type = "named-only"
      """;

  @TempDir private Path directory;
  private String good;
  private String bad;

  @BeforeEach
  void writeFiles() throws IOException {
    good = Files.writeString(directory.resolve("good.toml"), STAGES).toString();
    bad =
        Files.writeString(
                directory.resolve("bad.toml"),
                STAGES + "[moe]\ntopk = 1\nexperts = 0\nexperts = 2\n")
            .toString();
  }

  @Test
  void sumsUpAGoodFile() {
    Transcript run = Transcript.of("validate", good);
    assertThat(run.exitCode()).isZero();
    assertThat(run.err()).isEmpty();
    assertThat(run.out())
        .isEqualTo(
            good
                + """
                : ok
                  model       gpt2, 6 layers, 12 heads, d_model 768, random weights from seed 42
                  moe         8 experts, top 2, d_hidden 3072, gelu, path auto
                  parameters  280.3 M, of which 110.3 M work on a token
                  stages      named-only > named-only > named-only > named-only
                  text        sotu
                  run         train, 500 steps of 16 x 64 tokens
                  backend     the first of cuda, opencl, cpu that can, device auto
                """);
  }

  @Test
  void showsAllProblemsAtOnce() {
    Transcript run = Transcript.of("validate", bad);
    assertThat(run.exitCode()).isEqualTo(2);
    assertThat(run.out()).isEmpty();
    assertThat(run.err().lines())
        .containsExactly(
            bad + ":11: [moe] topk: unknown key. Did you mean top_k?",
            bad + ":12: [moe] experts = 0: must be between 1 and 65536",
            bad + ":13: [moe] experts: was set before, on line 12");
  }

  @Test
  void checksOverridesInTheSameWay() {
    assertThat(Transcript.of("validate", good, "--set", "moe.top_k=1").exitCode()).isZero();
    Transcript run =
        Transcript.of("validate", good, "--set", "moe.top_k=9", "--set", "experts.window=0");
    assertThat(run.exitCode()).isEqualTo(2);
    assertThat(run.err().lines())
        .containsExactly(
            "--set moe.top_k=9: [moe] top_k = 9: must be between 1 and experts = 8",
            "--set experts.window=0: [experts] window = 0: must be between 1 and 64");
  }

  @Test
  void printsTheResolvedFileThatIsAGoodFileItself() throws IOException {
    Transcript run =
        Transcript.of("validate", good, "--resolved", "--set", "run.learning_rate=3e-4");
    assertThat(run.out()).contains("window = 2\n", "learning_rate = 0.0003\n");
    Path again = Files.writeString(directory.resolve("again.toml"), run.out());
    assertThat(Transcript.of("validate", again.toString(), "--resolved").out())
        .isEqualTo(run.out());
  }

  @Test
  void printsJson() {
    JsonObject ok =
        JsonParser.parseString(Transcript.of("validate", good, "--json").out()).getAsJsonObject();
    assertThat(ok.get("ok").getAsBoolean()).isTrue();
    JsonObject pipeline = ok.getAsJsonObject("pipeline");
    assertThat(pipeline.getAsJsonObject("moe").get("top_k").getAsInt()).isEqualTo(2);
    assertThat(pipeline.getAsJsonObject("backend").getAsJsonArray("prefer")).hasSize(3);

    Transcript run = Transcript.of("validate", bad, "--json");
    assertThat(run.exitCode()).isEqualTo(2);
    JsonObject wrong = JsonParser.parseString(run.out()).getAsJsonObject();
    assertThat(wrong.get("ok").getAsBoolean()).isFalse();
    assertThat(wrong.getAsJsonArray("problems")).hasSize(3);
  }

  @Test
  void everyPipelineOfTheProjectIsGood() throws IOException {
    try (Stream<Path> files = Files.list(Path.of("../../pipelines"))) {
      List<Path> pipelines = files.filter(file -> file.toString().endsWith(".toml")).toList();
      assertThat(pipelines).isNotEmpty();
      for (Path file : pipelines) {
        Transcript run = Transcript.of("validate", file.toString());
        assertThat(run.exitCode()).as(run.err()).isZero();
      }
    }
  }

  @Test
  void saysThatAFileIsNotThere() {
    Transcript run = Transcript.of("validate", "nowhere.toml");
    assertThat(run.exitCode()).isEqualTo(2);
    assertThat(run.err()).isEqualTo("nowhere.toml: no such file\n");
  }

  @Test
  void namesTheStagesThereAre() {
    Transcript run = Transcript.of("validate", good, "--set", "router.type=named-onyl");
    assertThat(run.exitCode()).isEqualTo(2);
    assertThat(run.err())
        .contains("no router is called \"named-onyl\"; there are: ")
        .contains("Did you mean named-only?");
  }
}
