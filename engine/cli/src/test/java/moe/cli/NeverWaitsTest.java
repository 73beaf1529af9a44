package moe.cli;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/// A pipe that nobody writes to, wherever a command looks for a file: opening it would wait for
/// ever.
final class NeverWaitsTest {
  @TempDir private static Path directory;
  private static TinyRun run;
  private static Path whole;
  private static Path pipe;

  @BeforeAll
  static void trainOnce() throws IOException {
    run = TinyRun.in(directory, 2);
    whole = run.out();
    assertThat(Transcript.of(run.args("--backend", "cpu")).exitCode()).isZero();
    pipe = pipe(directory.resolve("pipe"));
  }

  @ParameterizedTest
  @CsvSource({
    "2, validate PIPE",
    "2, run PIPE --out OUT",
    "2, compare PIPE --out OUT",
    "3, run TINY --out OUT --set text.path=PIPE",
    "3, run TINY --out OUT --set model.path=PIPE",
    "3, generate --model PIPE --prompt x",
    "3, parity PIPE",
    "3, report PIPE",
  })
  void isNamedWhereAUserNamesIt(int exitCode, String command) {
    Transcript told =
        inTime(
            command
                .replace("PIPE", pipe.toString())
                .replace("TINY", run.file().toString())
                .replace("OUT", directory.resolve("new").toString())
                .split(" "));
    assertThat(told.err()).contains(pipe.toString());
    assertThat(told.exitCode()).as(told.err()).isEqualTo(exitCode);
    assertThat(told.err().lines().filter(line -> line.contains("pipe"))).hasSize(1);
  }

  @ParameterizedTest
  @CsvSource({
    "summary.json, report",
    "metrics.jsonl, report",
    "held-out.jsonl, report",
    "experts.json, report",
    "run.lock, resume",
    "metrics.jsonl, resume",
    "pipeline.toml, resume",
  })
  void isNamedInADirectoryFromElsewhere(String file, String command) throws IOException {
    Path copy = copy(file + command);
    pipe(copy.resolve(file));
    Transcript told = inTime(onCopy(command, copy));
    assertThat(told.err().lines()).hasSize(1);
    assertThat(told.err()).contains(copy.toString()).contains(file);
    assertThat(told.exitCode()).as(told.err()).isIn(2, 3); // the pipeline, the data
  }

  /// There is another one, or the file can be made again.
  @ParameterizedTest
  @CsvSource({
    "checkpoint-000002/training.json, resume",
    "checkpoint-000002/config.json, resume",
    "checkpoint-000002/model.safetensors, resume",
    "checkpoint-000002/optimizer.safetensors, resume",
    "tokens.cache, resume",
    "tokens.cache.partial, resume",
    "metrics.csv, resume",
    "summary.json.tmp, resume",
    "report.html, report",
    "pipeline.toml, generate",
    "checkpoint-000002/model.safetensors, generate",
  })
  void isNoHindranceWhereThereIsAnotherWay(String file, String command) throws IOException {
    Path copy = copy(file + command);
    pipe(copy.resolve(file));
    Transcript told = inTime(onCopy(command, copy));
    assertThat(told.exitCode()).as(told.err()).isZero();
  }

  /// Going on with a run from elsewhere must not write where its links lead.
  @ParameterizedTest
  @ValueSource(strings = {"run.lock", "metrics.jsonl", "metrics.csv", "held-out.jsonl"})
  void refusesALinkInThePlaceOfWhatItWrites(String file) throws IOException {
    Path copy = copy("link" + file);
    Path mine = Files.writeString(directory.resolve("mine-" + file), "mine");
    Files.deleteIfExists(copy.resolve(file));
    Files.createSymbolicLink(copy.resolve(file), mine);
    Transcript told = inTime(onCopy("resume", copy));
    assertThat(mine).hasContent("mine");
    if (told.exitCode() != 0) { // a table is replaced, not written to
      assertThat(told.err()).contains(copy.resolve(file).toString());
    }
  }

  @Test
  void readsAPipelineThatTheShellHandsOver() throws IOException, InterruptedException {
    List<String> java =
        List.of(
            Path.of(System.getProperty("java.home"), "bin", "java").toString(),
            "-Dguice_custom_class_loading=CHILD",
            "-cp",
            System.getProperty("surefire.test.class.path", System.getProperty("java.class.path")),
            Main.class.getName(),
            "validate");
    List<String> command = new ArrayList<>(List.of("bash", "-c"));
    command.add(
        "\"$@\" <(cat '%1$s') && cat '%1$s' | \"$@\" /dev/stdin && \"$@\" /dev/stdin <'%1$s'"
            .formatted(run.file()));
    command.add("bash");
    command.addAll(java);
    Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
    String told = new String(process.getInputStream().readAllBytes(), UTF_8);
    assertThat(process.waitFor()).as(told).isZero();
    assertThat(told).contains("/dev/fd/");
  }

  private static String[] onCopy(String command, Path copy) {
    return switch (command) {
      case "report" -> new String[] {"report", copy.toString()};
      case "generate" -> new String[] {"generate", "--model", copy.toString(), "--prompt", "x"};
      case "resume" ->
          new String[] {
            "run", run.file().toString(), "--out", copy.toString(), "--resume", "--backend", "cpu"
          };
      default -> throw new IllegalArgumentException(command);
    };
  }

  private static Transcript inTime(String... args) {
    return assertTimeoutPreemptively(Duration.ofMinutes(2), () -> Transcript.of(args));
  }

  private static Path copy(String name) throws IOException {
    Path copy = Files.createDirectory(directory.resolve(name.replaceAll("\\W", "-")));
    try (var files = Files.walk(whole)) {
      for (Path file : files.skip(1).toList()) {
        Files.copy(file, copy.resolve(whole.relativize(file)));
      }
    }
    return copy;
  }

  private static Path pipe(Path path) throws IOException {
    Files.deleteIfExists(path);
    try {
      assertThat(new ProcessBuilder("mkfifo", path.toString()).start().waitFor()).isZero();
    } catch (InterruptedException e) {
      throw new IOException(e);
    }
    return path;
  }
}
