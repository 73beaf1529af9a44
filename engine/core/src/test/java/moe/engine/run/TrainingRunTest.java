package moe.engine.run;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import moe.engine.checkpoint.Checkpoint;
import moe.engine.metrics.Ending;
import moe.engine.metrics.HeldOutMetrics;
import moe.engine.metrics.RunFiles;
import moe.engine.metrics.RunSummary;
import moe.spi.error.ErrorKind;
import moe.spi.error.MoeException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class TrainingRunTest {
  private static final List<String> FIRST_COLUMNS =
      List.of("Loss", "TTT_Updates", "RoutingDiversity", "EstimatedPower", "Latency_ms");

  @TempDir private Path directory;

  @Test
  void twoRunsWithOneSeedDifferInTimesOnly() throws IOException {
    List<List<String>> tables = new ArrayList<>();
    for (String name : List.of("one", "two")) {
      Path out = directory.resolve(name);
      new SmallRun(out).run(false, 4, "router.balance=switch", "router.z_loss=0.001");
      tables.add(Files.readAllLines(new RunFiles(out).csv()));
    }
    List<String> header = List.of(tables.getFirst().getFirst().split(","));
    assertThat(header.subList(0, 5)).isEqualTo(FIRST_COLUMNS);
    assertThat(tables.getFirst()).hasSize(5);
    assertThat(untimed(tables.getLast(), header)).isEqualTo(untimed(tables.getFirst(), header));

    Path other = directory.resolve("other");
    new SmallRun(other).run(false, 4, "pipeline.seed=43", "router.balance=switch");
    assertThat(untimed(Files.readAllLines(new RunFiles(other).csv()), header))
        .isNotEqualTo(untimed(tables.getFirst(), header));
  }

  private static List<List<String>> untimed(List<String> table, List<String> header) {
    return table.stream()
        .map(line -> {
          String[] cells = line.split(",", -1);
          List<String> kept = new ArrayList<>();
          for (int i = 0; i < header.size(); i++) {
            if (!header.get(i).endsWith("_ms") && !header.get(i).equals("TokensPerSecond")) {
              kept.add(cells[i]);
            }
          }
          return kept;
        })
        .toList();
  }

  @Test
  void recordsTheTermsThatRoutersAdd() {
    SmallRun run = new SmallRun(directory.resolve("run"));
    run.run(false, 2, "router.balance=switch", "router.balance_loss=0.5", "router.z_loss=0.25");
    run.record()
        .steps(step -> {
          // Two layers; about 1 each at nearly even load, and log(4)² for logits near 0.
          assertThat(step.losses().balance().orElseThrow()).isBetween(0.9, 1.5);
          assertThat(step.losses().z().orElseThrow()).isBetween(0.8, 1.2);
        });
    SmallRun plain = new SmallRun(directory.resolve("plain"));
    plain.run(false, 2);
    plain
        .record()
        .steps(step -> {
          assertThat(step.losses().balance()).isEmpty();
          assertThat(step.losses().z()).isEmpty();
        });
  }

  @Test
  void stopsAtTheTimeLimitAndStillLooksAndReports() {
    Path out = directory.resolve("run");
    RunSummary summary = new SmallRun(out).run(false, 100_000, "run.time_limit=1s");
    assertThat(summary.ending())
        .isEqualTo(
            new Ending(
                Ending.Reason.TIME_LIMIT,
                "run.time_limit stopped it after step %d of 100000"
                    .formatted(summary.course().steps())));
    assertThat(summary.heldOut().last().orElseThrow().step()).isEqualTo(summary.course().steps());
    assertThat(new RunFiles(out).report()).exists();

    // A limit is one call's: the next goes on.
    RunSummary resumed = new SmallRun(out).run(true, 100_000, "run.time_limit=1s");
    assertThat(resumed.ending().reason()).isEqualTo(Ending.Reason.TIME_LIMIT);
    assertThat(resumed.course().steps()).isGreaterThanOrEqualTo(summary.course().steps());
  }

  @Test
  void looksAtOneBatchOfRandomWeightsAndAtAllOfOthers() {
    SmallRun random = new SmallRun(directory.resolve("random"));
    random.run(false, 2);
    List<Long> looked = tokens(random);
    assertThat(looked).containsExactly(looked.getLast() / 2, looked.getLast());

    SmallRun loaded = new SmallRun(directory.resolve("loaded"));
    loaded.run(false, 2, "model.path=" + directory.resolve("random/checkpoint-000002"));
    assertThat(tokens(loaded)).containsExactly(looked.getLast(), looked.getLast());
  }

  private static List<Long> tokens(SmallRun run) {
    return run.record().heldOut().stream().map(HeldOutMetrics::tokens).toList();
  }

  @Test
  void refusesACheckpointOfAnotherModel() throws IOException {
    Path out = directory.resolve("run");
    new SmallRun(out).run(false, 2);
    Files.delete(new RunFiles(out).pipeline()); // which would tell first
    Path weights = out.resolve("checkpoint-000002/model.safetensors");
    byte[] before = Files.readAllBytes(weights);
    assertThatThrownBy(() -> new SmallRun(out).run(true, 4, "moe.experts=8"))
        .isInstanceOfSatisfying(
            MoeException.class, e -> assertThat(e.kind()).isEqualTo(ErrorKind.DATA))
        .hasMessageContaining("checkpoint-000002: a checkpoint of another model")
        .hasMessageContaining("use another --out");
    assertThat(Files.readAllBytes(weights)).isEqualTo(before);
  }

  @Test
  void leavesNoCheckpointAndAClearLineWhereTheDirectoryIsGone() throws IOException {
    Path file = Files.writeString(directory.resolve("file"), "mine");
    assertThatThrownBy(() -> new SmallRun(file.resolve("below")).run(false, 2))
        .isInstanceOfSatisfying(
            MoeException.class, e -> assertThat(e.kind()).isEqualTo(ErrorKind.DATA))
        .hasMessageContaining("cannot be written");
    assertThatThrownBy(() -> new SmallRun(file).run(false, 2))
        .isInstanceOfSatisfying(
            MoeException.class, e -> assertThat(e.kind()).isEqualTo(ErrorKind.USAGE))
        .hasMessageContaining("not a directory; choose another --out");
    assertThat(file).hasContent("mine");
  }

  @Test
  void twoRunsAtOnceShareNoDirectory() {
    Path out = directory.resolve("run");
    SmallRun first = new SmallRun(out);
    first.whileRunning(() ->
        assertThatThrownBy(() -> new SmallRun(out).run(true, 2))
            .isInstanceOf(MoeException.class)
            .hasMessageContaining("another run is writing there"));
    assertThat(first.run(false, 2).ending().reason()).isEqualTo(Ending.Reason.COMPLETED);
    try (Checkpoint whole = Checkpoint.open(out.resolve("checkpoint-000002"))) {
      assertThat(whole.spec().layers()).isEqualTo(2);
    }
  }
}
