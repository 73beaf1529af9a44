package moe.engine.metrics;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.OptionalDouble;
import moe.spi.error.ErrorKind;
import moe.spi.error.MoeException;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Writing, killing, resuming and reading the record of a run.
final class RunLogTest {
  @TempDir Path directory;

  private RunFiles files;

  @BeforeEach
  void nameFiles() {
    files = new RunFiles(directory);
  }

  @Test
  void readsBackWhatWasWritten() {
    List<HeldOutMetrics> heldOut = List.of(new HeldOutMetrics(0, 10.5, 960, 3.5));
    List<ExpertProfile> experts =
        List.of(
            new ExpertProfile(
                0, 3, 0.25, List.of(new ExpertProfile.Token("</script>\n\"", 2.5, 7))));
    try (RunLog log = RunLog.create(files)) {
      log.write(Examples.summary());
      heldOut.forEach(log::add);
      log.add(Examples.step(1));
      log.add(Examples.bare(2, Double.NaN));
      log.add(Examples.bare(3, Double.POSITIVE_INFINITY));
      log.write(experts);
      log.force();
    }
    RunRecord run = RunRecord.in(directory);
    assertThat(steps())
        .containsExactly(
            Examples.step(1),
            Examples.bare(2, Double.NaN),
            Examples.bare(3, Double.POSITIVE_INFINITY));
    assertThat(run.heldOut()).isEqualTo(heldOut);
    assertThat(run.summary()).isEqualTo(Examples.summary());
    assertThat(run.experts()).isEqualTo(experts);
  }

  @Test
  void csvStartsWithTheAgreedColumnsAndLeavesMissingValuesEmpty() throws IOException {
    try (RunLog log = RunLog.create(files)) {
      log.add(Examples.bare(1, 2.5));
      log.add(Examples.step(2));
    }
    List<String> lines = Files.readAllLines(files.csv());
    assertThat(lines.get(0))
        .startsWith("Loss,TTT_Updates,RoutingDiversity,EstimatedPower,Latency_ms,Step,");
    assertThat(lines.get(1)).startsWith("2.5,,,,12.5,1,1,64,5120.0,,,,,,,");
    // Layers use 4 of 4 and 2 of 4 experts as first choices.
    assertThat(lines.get(2)).contains(",3,0.75,71.5,12.5,2,1,64,");
    MetricsTable table = MetricsTable.read(files.csv());
    assertThat(table.column("FusedMoe_ms"))
        .containsExactly(OptionalDouble.empty(), OptionalDouble.of(0.5));
  }

  @Test
  void leavesOutTheLineThatWasBeingWritten() throws IOException {
    writeSteps(3);
    for (Path path : List.of(files.metrics(), files.csv())) {
      byte[] whole = Files.readAllBytes(path);
      for (int lost = 1; whole[whole.length - lost - 1] != '\n' && lost < 40; lost++) {
        Files.write(path, Arrays.copyOf(whole, whole.length - lost));
        int rows =
            path.equals(files.csv())
                ? MetricsTable.read(files.csv()).rows().size()
                : steps().size();
        assertThat(rows).as("%d bytes lost", lost).isEqualTo(2);
      }
    }
  }

  @Test
  void resumingCutsWhatLiesBehindTheCheckpoint() throws IOException {
    writeSteps(10);
    byte[] undisturbedLines = Files.readAllBytes(files.metrics());
    byte[] undisturbedTable = Files.readAllBytes(files.csv());
    for (int checkpoint : new int[] {0, 4, 9, 10}) {
      Files.writeString(files.metrics(), "{\"step\":11,\"ep", StandardOpenOption.APPEND);
      Files.writeString(files.csv(), "1.5,,,", StandardOpenOption.APPEND);
      try (RunLog log = RunLog.resume(files, checkpoint)) {
        assertThat(steps()).hasSize(checkpoint);
        assertThat(RunRecord.in(directory).heldOut())
            .allMatch(result -> result.step() <= checkpoint);
        for (int step = checkpoint + 1; step <= 10; step++) {
          log.add(Examples.step(step));
        }
      }
      assertThat(Files.readAllBytes(files.metrics())).isEqualTo(undisturbedLines);
      assertThat(Files.readAllBytes(files.csv())).isEqualTo(undisturbedTable);
    }
  }

  @Test
  void resumesWhereNothingWasWrittenYet() {
    try (RunLog log = RunLog.resume(files, 0)) {
      log.add(Examples.step(1));
    }
    assertThat(MetricsTable.read(files.csv()).rows()).hasSize(1);
  }

  @Test
  void refusesADirectoryWithAnotherRunAndLeavesIt() throws IOException {
    writeSteps(1);
    byte[] before = Files.readAllBytes(files.metrics());
    assertThatThrownBy(() -> RunLog.create(files))
        .isInstanceOfSatisfying(
            MoeException.class, e -> assertThat(e.kind()).isEqualTo(ErrorKind.USAGE))
        .hasMessageContaining("metrics.jsonl: exists already")
        .hasMessageContaining("--resume");
    assertThat(Files.readAllBytes(files.metrics())).isEqualTo(before);
  }

  private void writeSteps(int count) {
    try (RunLog log = RunLog.create(files)) {
      log.write(Examples.summary());
      log.add(new HeldOutMetrics(0, 10.5, 960, 3.5));
      for (int step = 1; step <= count; step++) {
        log.add(Examples.step(step));
      }
      log.add(new HeldOutMetrics(count, 9.5, 960, 3.5));
    }
  }

  private List<StepMetrics> steps() {
    var steps = new ArrayList<StepMetrics>();
    new RunRecord(files).steps(steps::add);
    return steps;
  }
}
