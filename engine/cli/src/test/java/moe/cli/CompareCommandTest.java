package moe.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class CompareCommandTest {
  @TempDir private Path directory;

  @Test
  void comparesWhatCanRunAndTellsWhatCannot() throws IOException {
    Transcript run =
        compare(
            "\"plain: moe.path=baseline\"",
            "\"fused: moe.path=fused\"",
            "\"none: router.type=energie\"");
    assertThat(run.exitCode()).isEqualTo(2);
    assertThat(run.out())
        .contains("plain", "fused", "ms/step", "perplexity")
        .contains("none failed:")
        .containsPattern("(fused is .* × plain|no difference in speed beyond noise)");
    String json = Files.readString(directory.resolve("out/compare.json"));
    assertThat(json).contains("\"against_first\"", "\"sentence\"", "\"failed\"");
    assertThat(Files.readString(directory.resolve("out/compare.html")))
        .contains("\"sentence\"", "Content-Security-Policy");
  }

  @Test
  void needsTwoArms() throws IOException {
    Transcript run = compare("\"only: moe.path=fused\"");
    assertThat(run.exitCode()).isEqualTo(2);
    assertThat(run.err()).contains("[compare] arms: 1 named: compare needs two arms");
  }

  private Transcript compare(String... arms) throws IOException {
    Path file =
        Files.writeString(
            directory.resolve("compare.toml"),
            """
            [model]
            layers = 1
            heads = 1
            d_model = 8
            context = 16
            [moe]
            experts = 3
            d_hidden = 16
            [text]
            path = "moby-dick"
            [run]
            mode = "evaluate"
            batch_size = 2
            seq_length = 8
            [metrics]
            held_out_batches = 3
            [energy]
            idle = "0s"
            [compare]
            repeats = 2
            window = "0s"
            warmup = "0s"
            arms = [%s]
            """
                .formatted(String.join(", ", arms)));
    return Transcript.of(
        "compare",
        file.toString(),
        "--out",
        directory.resolve("out").toString(),
        "--backend",
        "cpu");
  }
}
