package moe.engine.metrics;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import moe.spi.error.ErrorKind;
import moe.spi.error.MoeException;
import org.assertj.core.api.AbstractThrowableAssert;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Damaged and foreign files are named, with the line.
final class RunRecordTest {
  @TempDir Path directory;

  private RunFiles files;

  @BeforeEach
  void writeARun() {
    files = new RunFiles(directory);
    try (RunLog log = RunLog.create(files)) {
      log.write(Examples.summary());
      log.add(Examples.step(1));
      log.add(Examples.step(2));
    }
  }

  @Test
  void namesWhatIsNoRunDirectory() throws IOException {
    refused(() -> RunRecord.in(directory.resolve("none")))
        .hasMessageContaining("no such directory");
    refused(() -> RunRecord.in(files.summary())).hasMessageContaining("not a directory");
    refused(() -> RunRecord.in(Files.createDirectory(directory.resolve("empty"))))
        .hasMessageContaining("it holds no summary.json")
        .hasMessageContaining("moe-engine run");
  }

  @Test
  void namesTheLineOfADamagedStep() throws IOException {
    refusedSteps("{\"step\":1,", "{\"step\":}").hasMessageContaining("jsonl:1: not valid JSON");
    refusedSteps("{\"step\":2,", "{\"step\":1,")
        .hasMessageContaining("jsonl:2: step 1 out of order");
    refusedSteps("{\"step\":2,", "{\"step\":2.5,")
        .hasMessageContaining("jsonl:2: step: expected a whole number");
    refusedSteps("{\"step\":2,", "{\"step\":0,")
        .hasMessageContaining("jsonl:2: step = 0: must be at least 1");
    refusedSteps("{\"step\":2,", "{\"stop\":2,").hasMessageContaining("key \"step\" is missing");
    refusedSteps("{\"step\":2,", "{\"x\":0,\"step\":2,")
        .hasMessageContaining("jsonl:2: unknown key \"x\"");
    refusedSteps("\"ms\":12.5", "\"ms\":\"soon\"").hasMessageContaining("ms: expected a number");
    refusedSteps("\"ms\":12.5", "\"ms\":-1").hasMessageContaining("totalMillis = -1.0");
    refusedSteps("\"experts\":7.25", "\"expertz\":7.25")
        .hasMessageContaining("phase_ms: unknown key \"expertz\"");
    refusedSteps("[10,20,30,4]", "[10,20,30,-4]")
        .hasMessageContaining("routing[0]: load: expected");
    refusedSteps("{\"step\":1", "\0\0").hasMessageContaining("jsonl:1: not valid JSON");
    refusedSteps("{\"step\":2", "[] {\"step\":2").hasMessageContaining("jsonl:2: ");
    refusedSteps("{\"step\":2", "[".repeat(50_000) + "{\"step\":2")
        .hasMessageContaining("jsonl:2: not valid JSON");
  }

  @Test
  void refusesBytesThatAreNoText() throws IOException {
    byte[] bytes = Files.readString(files.metrics()).getBytes(StandardCharsets.UTF_8);
    bytes[3] = (byte) 0xff;
    Files.write(files.metrics(), bytes);
    refused(() -> new RunRecord(files).steps(_ -> {}))
        .hasMessageContaining("jsonl:1: not valid UTF-8");
  }

  @Test
  void namesWhatIsWrongWithASummary() throws IOException {
    String whole = Files.readString(files.summary());
    Files.writeString(files.summary(), whole.substring(0, whole.length() / 2));
    refused(() -> new RunRecord(files).summary()).hasMessageContaining("not valid JSON");
    Files.writeString(files.summary(), whole.replace("time_limit", "boredom"));
    refused(() -> new RunRecord(files).summary())
        .hasMessageContaining("ending: expected one of [running, completed, time_limit");
    Files.writeString(files.summary(), whole.replace("\"format\": 1", "\"format\": 9"));
    refused(() -> new RunRecord(files).summary()).hasMessageContaining("reads format 1");
    Files.writeString(files.summary(), whole.replace("2026-11-23T06", "yesterday"));
    refused(() -> new RunRecord(files).summary()).hasMessageContaining("expected a time");
  }

  @Test
  void refusesATableWithOtherColumns() throws IOException {
    String table = Files.readString(files.csv());
    Files.writeString(files.csv(), table.replace("Loss,", "Verlust,"));
    refused(() -> MetricsTable.read(files.csv()))
        .hasMessageContaining("csv:1: expected the columns");
    Files.writeString(files.csv(), table + "1,2\n");
    refused(() -> MetricsTable.read(files.csv())).hasMessageContaining("csv:4: 2 cells where");
    Files.writeString(files.csv(), table.replaceFirst("\n[^,]+,", "\nmuch,"));
    refused(() -> MetricsTable.read(files.csv())).hasMessageContaining("csv:2: Loss: expected");
  }

  private AbstractThrowableAssert<?, ?> refusedSteps(String part, String replacement)
      throws IOException {
    String whole = Files.readString(files.metrics());
    assertThat(whole).contains(part);
    Files.writeString(files.metrics(), whole.replace(part, replacement));
    var refused = refused(() -> new RunRecord(files).steps(_ -> {}));
    Files.writeString(files.metrics(), whole);
    return refused;
  }

  private AbstractThrowableAssert<?, ?> refused(ThrowingCallable call) {
    return assertThatThrownBy(call)
        .isInstanceOfSatisfying(
            MoeException.class, e -> assertThat(e.kind()).isEqualTo(ErrorKind.DATA))
        .hasMessageContaining(directory.toString())
        .hasMessageNotContaining("\n");
  }
}
