package moe.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.gson.JsonParser;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;
import moe.engine.metrics.RunFiles;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

final class RunCommandTest {
  @TempDir private Path directory;

  @Test
  void trainsAndSaysInAFewLinesWhatCameOfIt() throws IOException {
    TinyRun tiny = TinyRun.in(directory, 3);
    Transcript run = Transcript.of(tiny.args());
    assertThat(run.exitCode()).as(run.err()).isZero();
    assertThat(run.out().lines())
        .satisfiesExactly(
            line -> assertThat(line).isEqualTo("ended     completed"),
            line -> assertThat(line).startsWith("steps     3 of 3, 36 tokens in "),
            line -> assertThat(line).startsWith("held out  perplexity "),
            line -> assertThat(line).endsWith("report.html"));
    assertThat(run.err())
        .contains("tiny on cpu", "4 experts, top 2", "perplexity to beat", "saved ");
    assertThat(tiny.out().resolve("checkpoint-000003")).isDirectory();
    assertThat(Transcript.of("validate", new RunFiles(tiny.out()).pipeline().toString()))
        .satisfies(again -> assertThat(again.exitCode()).as(again.err()).isZero());
  }

  @Test
  void printsTheSummaryAsJson() throws IOException {
    TinyRun tiny = TinyRun.in(directory, 2);
    Transcript run = Transcript.of(tiny.args("--json", "--set", "run.mode=evaluate"));
    assertThat(run.exitCode()).as(run.err()).isZero();
    assertThat(run.out()).isEqualTo(Files.readString(new RunFiles(tiny.out()).summary()));
    assertThat(JsonParser.parseString(run.out()).getAsJsonObject().keySet())
        .contains("name", "ending", "held_out", "machine");
  }

  @Test
  void badInputIsOneLineAndItsExitCodeAndNothingElse() throws IOException {
    Path latin1 =
        Files.write(
            directory.resolve("latin1.txt"), "déjà vu".getBytes(StandardCharsets.ISO_8859_1));
    Path empty = Files.createFile(directory.resolve("empty.txt"));
    Path brief = Files.writeString(directory.resolve("brief.txt"), "Call me Ishmael.");
    refused(3, "latin1.txt: not valid UTF-8 at byte 1 (0xE9)", "text.path=" + latin1);
    refused(3, "empty.txt: no text in it", "text.path=" + empty);
    refused(3, "fewer than one sequence of 12", "text.path=" + brief);
    refused(3, "nowhere.txt\": neither a built-in corpus", "text.path=nowhere.txt");
    refused(2, "seq_length = 17: must be between 1 and [model] context = 16", "run.seq_length=17");
    refused(3, "has 50,257 ids, but the model has a vocabulary of 100", "model.vocab=100");
    refused(3, "nowhere: no such directory", "model.path=" + directory.resolve("nowhere"));
    refused(2, "[run] mode = \"trian\": must be one of train, evaluate", "run.mode=trian");
  }

  private void refused(int code, String message, String setting) throws IOException {
    TinyRun tiny = TinyRun.in(directory, 2);
    Transcript run = Transcript.of(tiny.args("--set", setting));
    assertThat(run.exitCode()).as(setting + ": " + run.err()).isEqualTo(code);
    assertThat(run.out()).isEmpty();
    assertThat(run.err().lines().filter(line -> line.startsWith("moe-engine:") || code == 2))
        .as(setting)
        .hasSize(1);
    assertThat(run.err()).as(setting).contains(message).doesNotContain("internal error");
    assertThat(tiny.out()).as(setting).doesNotExist();
  }

  @Test
  void aUsedDirectoryIsLeftAlone() throws IOException {
    TinyRun tiny = TinyRun.in(directory, 2);
    Files.createDirectory(tiny.out());
    Path mine = Files.writeString(tiny.out().resolve("mine.txt"), "mine");
    Transcript run = Transcript.of(tiny.args());
    assertThat(run.exitCode()).isEqualTo(2);
    assertThat(run.err()).contains("run: not empty; choose another --out, or go on");
    try (Stream<Path> files = Files.list(tiny.out())) {
      assertThat(files).containsExactly(mine);
    }
  }

  @Test
  @DisabledOnOs(OS.WINDOWS)
  @Timeout(300)
  void stopsAtCtrlCWithACheckpointAndAReport() throws IOException, InterruptedException {
    TinyRun tiny = TinyRun.in(directory, 100_000);
    EngineProcess engine =
        EngineProcess.start(directory, tiny.args("--set", "run.checkpoint_every=0"));
    RunFiles files = new RunFiles(tiny.out());
    while (engine.process().isAlive()
        && (!Files.exists(files.metrics()) || Files.size(files.metrics()) == 0)) {
      Thread.sleep(20);
    }
    assertThat(engine.process().isAlive()).as(engine.errors()).isTrue();
    engine.interrupt();
    assertThat(engine.exitCode()).as(engine.errors()).isEqualTo(130);
    assertThat(engine.errors()).contains("saved ");
    assertThat(Files.readString(engine.out())).startsWith("ended     interrupted: stopped after");
    assertThat(files.report()).exists();
    try (Stream<Path> entries = Files.list(tiny.out())) {
      assertThat(entries.filter(entry -> entry.getFileName().toString().startsWith("checkpoint-")))
          .hasSize(1);
    }
  }
}
