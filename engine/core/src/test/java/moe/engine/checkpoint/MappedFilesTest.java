package moe.engine.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;
import moe.engine.oracle.Fixture;
import moe.spi.device.Shape;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

/// A file that stays mapped holds its disk space when it is deleted, until the process ends.
@EnabledOnOs(OS.LINUX)
final class MappedFilesTest {
  @TempDir private Path directory;

  @Test
  void areGivenBackWhenTheCheckpointIsClosed() throws IOException {
    Checkpoint checkpoint = Checkpoint.open(shards("h.0.ln_1.weight"));
    assertThat(mapped()).isEqualTo(2);
    checkpoint.close();
    assertThat(mapped()).isZero();
    checkpoint.close(); // twice is fine
  }

  @Test
  void areGivenBackWhenTheLastShardIsRefused() throws IOException {
    Path hostile = shards("missing");
    assertThat(Refusals.line(() -> Checkpoint.open(hostile).close()))
        .contains("tensor missing is not in two.safetensors");
    assertThat(mapped()).isZero();
  }

  @Test
  void areGivenBackWhenTheHeaderIsRefused() throws IOException {
    Path file =
        Files.write(
            directory.resolve("x.safetensors"), new byte[] {2, 0, 0, 0, 0, 0, 0, 0, '[', ']'});
    assertThat(Refusals.line(() -> SafetensorsFile.open(file).close())).contains("an object");
    assertThat(mapped()).isZero();
  }

  /// A directory of two shards.
  private Path shards(String second) throws IOException {
    Files.copy(Fixture.GPT2_MOE.resolve("config.json"), directory.resolve("config.json"));
    new SafetensorsWriter()
        .add("wte.weight", Shape.of(2), new float[2])
        .write(directory.resolve("one.safetensors"));
    new SafetensorsWriter()
        .add("h.0.ln_1.weight", Shape.of(2), new float[2])
        .write(directory.resolve("two.safetensors"));
    Files.writeString(
        directory.resolve("model.safetensors.index.json"),
        "{\"weight_map\": {\"wte.weight\": \"one.safetensors\", \"%s\": \"two.safetensors\"}}"
            .formatted(second));
    return directory;
  }

  private long mapped() throws IOException {
    try (Stream<String> maps = Files.lines(Path.of("/proc/self/maps"))) {
      return maps.filter(line -> line.contains(directory.toString())).count();
    }
  }
}
