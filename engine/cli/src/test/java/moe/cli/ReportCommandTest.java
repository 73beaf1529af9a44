package moe.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalLong;
import moe.engine.metrics.Baselines;
import moe.engine.metrics.Course;
import moe.engine.metrics.Ending;
import moe.engine.metrics.Execution;
import moe.engine.metrics.HeldOutSummary;
import moe.engine.metrics.Losses;
import moe.engine.metrics.MachineFacts;
import moe.engine.metrics.Meters;
import moe.engine.metrics.ModelFacts;
import moe.engine.metrics.RunFiles;
import moe.engine.metrics.RunLog;
import moe.engine.metrics.RunSummary;
import moe.engine.metrics.StepMetrics;
import moe.engine.metrics.StepTimes;
import moe.engine.metrics.TextFacts;
import moe.engine.metrics.Update;
import moe.engine.metrics.Versions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class ReportCommandTest {
  @TempDir Path directory;

  private RunFiles files;

  @BeforeEach
  void writeAKilledRun() {
    files = new RunFiles(directory);
    try (RunLog log = RunLog.create(files)) {
      log.write(summary());
      log.add(
          new StepMetrics(
              1,
              1,
              Losses.of(3.5),
              new StepTimes(64, 12.5, Map.of()),
              Update.NONE,
              List.of(),
              Meters.NONE));
    }
  }

  @Test
  void printsThePathOfThePageItBuilt() throws IOException {
    Transcript run = Transcript.of("report", directory.toString());
    assertThat(run).isEqualTo(new Transcript(0, files.report() + System.lineSeparator(), ""));
    assertThat(Files.readString(files.report()))
        .contains("It has not ended, or was killed; its record holds 1 of 10 steps");
  }

  @Test
  void namesWhatIsNoRunDirectory() {
    Transcript run = Transcript.of("report", directory.resolve("nowhere").toString());
    assertThat(run.exitCode()).isEqualTo(3);
    assertThat(run.out()).isEmpty();
    assertThat(run.err().lines()).hasSize(1);
    assertThat(run.err()).contains("nowhere: no such directory");
    assertThat(Transcript.of("report").exitCode()).isEqualTo(2);
  }

  @Test
  void aDamagedFileLeavesTheEarlierPage() throws IOException {
    Transcript.of("report", directory.toString());
    byte[] earlier = Files.readAllBytes(files.report());
    Files.writeString(files.metrics(), "{\"step\":\n");
    Transcript run = Transcript.of("report", directory.toString());
    assertThat(run.exitCode()).isEqualTo(3);
    assertThat(run.err().lines()).hasSize(1);
    assertThat(run.err()).contains("metrics.jsonl:1: not valid JSON");
    assertThat(Files.readAllBytes(files.report())).isEqualTo(earlier);
  }

  private static RunSummary summary() {
    return new RunSummary(
        "toy",
        Ending.of(Ending.Reason.RUNNING),
        new Course(true, Instant.EPOCH, 0, 10, 0, 0, OptionalLong.empty()),
        HeldOutSummary.of(List.of(), new Baselines(OptionalDouble.empty(), OptionalDouble.empty())),
        new ModelFacts("gpt2", "random weights", 2, 2, 8, 16, 100, 1000, 1000, Optional.empty()),
        new TextFacts("sotu", 1000, 100, 4, 16),
        new Execution("cpu", "this one", "f32", "", List.of()),
        MachineFacts.here(),
        Versions.here("test", List.of()),
        "");
  }
}
