package moe.engine.config;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/// Every error text a pipeline file can give, beside the file that gives it. After a change of a
/// text, look at what `-Dmoe.golden=write` makes of the files.
final class GoldenProblemsTest {
  private static final Path GOLDEN = Path.of("src/test/resources/moe/engine/config/golden");

  static List<String> names() throws IOException {
    try (Stream<Path> files = Files.list(GOLDEN)) {
      return files
          .map(file -> file.getFileName().toString())
          .filter(name -> name.endsWith(".toml"))
          .sorted()
          .toList();
    }
  }

  @ParameterizedTest
  @MethodSource("names")
  void tellsAllProblemsOfAFileAtOnceInTheOrderOfItsLines(String name) throws IOException {
    byte[] bytes = Files.readAllBytes(GOLDEN.resolve(name));
    String text =
        switch (PipelineFile.parse(name, bytes, List.of(), new FakeCatalog())) {
          case Reading.Valid(PipelineConfig config) -> config.toToml();
          case Reading.Invalid(var _, List<Problem> problems, var kind) ->
              problems.stream()
                  .map(Problem::toString)
                  .collect(Collectors.joining("\n", "", "\nexit " + kind.exitCode() + "\n"));
        };
    Path golden = GOLDEN.resolve(name.replace(".toml", ".txt"));
    if ("write".equals(System.getProperty("moe.golden"))) {
      Files.writeString(golden, text);
    }
    assertThat(text).isEqualTo(Files.readString(golden));
  }
}
