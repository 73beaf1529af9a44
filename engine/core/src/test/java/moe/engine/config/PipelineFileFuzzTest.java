package moe.engine.config;

import com.code_intelligence.jazzer.junit.FuzzTest;
import java.nio.charset.StandardCharsets;
import java.util.List;

/// Whatever the bytes are, there is a configuration or a list of problems; a configuration, written
/// out, is read again. `.ci/fuzz` searches for other bytes than those kept beside this test.
final class PipelineFileFuzzTest {
  private static final FakeCatalog CATALOG = new FakeCatalog();

  @FuzzTest(maxDuration = "60s")
  void answersWhateverTheBytesAre(byte[] bytes) {
    if (parse(bytes) instanceof Reading.Valid(PipelineConfig config)
        && parse(config.toToml().getBytes(StandardCharsets.UTF_8))
            instanceof Reading.Invalid invalid) {
      throw new AssertionError("its own text is refused: " + invalid.problems());
    }
  }

  private static Reading parse(byte[] bytes) {
    return PipelineFile.parse("x.toml", bytes, List.of(), CATALOG);
  }
}
