package moe.engine.run;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import moe.spi.error.ErrorKind;
import moe.spi.error.MoeException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Sizes whose products pass an `int` or a `long` are an error in words, before memory is taken.
final class HugeSizesTest {
  @TempDir private Path directory;

  @Test
  void refusesAModelWhoseTensorsNoArrayHolds() {
    Path out = directory.resolve("run");
    assertThatThrownBy(() ->
            new SmallRun(out)
                .run(false, 1, "model.d_model=65536", "moe.d_hidden=65536", "moe.experts=64"))
        .isInstanceOfSatisfying(
            MoeException.class, e -> assertThat(e.kind()).isEqualTo(ErrorKind.UNSUPPORTED))
        .hasMessageStartingWith(
            "cpu: a tensor [50257, 65536] has 3,293,642,752 elements, more than");
    assertThat(out).doesNotExist();
  }

  @Test
  void refusesABatchThatACheckpointMakesTooLarge() throws IOException {
    new SmallRun(directory.resolve("small")).run(false, 1, "moe.top_k=4", "model.context=1024");
    Path checkpoint = directory.resolve("small/checkpoint-000001");
    assertThat(Files.readString(checkpoint.resolve("config.json"))).contains("_per_tok\": 4");
    assertThatThrownBy(() ->
            new SmallRun(directory.resolve("run"))
                .run(
                    false,
                    1,
                    "model.path=" + checkpoint,
                    "model.context=1024",
                    "run.batch_size=1048576",
                    "run.seq_length=1023"))
        .isInstanceOfSatisfying(
            MoeException.class, e -> assertThat(e.kind()).isEqualTo(ErrorKind.USAGE))
        .hasMessageContaining("assignments");
  }
}
