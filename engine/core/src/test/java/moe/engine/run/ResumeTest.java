package moe.engine.run;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import moe.engine.checkpoint.Checkpoint;
import moe.engine.metrics.Ending;
import moe.engine.metrics.RunSummary;
import moe.engine.metrics.StepMetrics;
import moe.spi.error.MoeException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class ResumeTest {
  /// The token ` his`, which some batches hold and others do not.
  private static final int HIS = 465;

  @TempDir private Path directory;

  @Test
  void continuesWithEqualLossesToTheBit() {
    SmallRun whole = new SmallRun(directory.resolve("whole"));
    assertThat(whole.run(false, 6).ending().reason()).isEqualTo(Ending.Reason.COMPLETED);

    SmallRun parts = new SmallRun(directory.resolve("parts"));
    RunSummary stopped = parts.stopAfter(3).run(false, 6);
    assertThat(stopped.ending().reason()).isEqualTo(Ending.Reason.INTERRUPTED);
    assertThat(stopped.course().steps()).isEqualTo(3);
    RunSummary resumed = parts.stopAfter(99).run(true, 6);
    assertThat(resumed.course().steps()).isEqualTo(6);

    assertThat(losses(parts)).hasSize(6).isEqualTo(losses(whole));
    assertThat(norms(parts)).isEqualTo(norms(whole));
    assertThat(parts.record().heldOut().getLast().loss())
        .isEqualTo(whole.record().heldOut().getLast().loss());
    assertThat(losses(whole).getLast()).isLessThan(losses(whole).getFirst());
    for (String file : List.of("model.safetensors", "optimizer.safetensors", "config.json")) {
      assertThat(directory.resolve("parts/checkpoint-000006/" + file))
          .hasSameBinaryContentAs(directory.resolve("whole/checkpoint-000006/" + file));
    }
  }

  @Test
  void goesBackToTheCheckpointBeforeADamagedOne() throws IOException {
    SmallRun whole = new SmallRun(directory.resolve("whole"));
    whole.run(false, 6);
    SmallRun run = new SmallRun(directory.resolve("damaged"));
    run.stopAfter(5).run(false, 6);
    Path last = directory.resolve("damaged/checkpoint-000005/optimizer.safetensors");
    byte[] bytes = Files.readAllBytes(last);
    bytes[bytes.length / 2] ^= 1;
    Files.write(last, bytes);

    run.stopAfter(99).run(true, 6);
    assertThat(run.notices()).anyMatch(line -> line.contains("checksum"));
    assertThat(losses(run)).isEqualTo(losses(whole));
  }

  /// A step that was skipped is none to the optimizer, whose corrections count steps.
  @Test
  void goesOnBehindSkippedStepsAsIfNothingHadHappened() throws IOException {
    new SmallRun(directory.resolve("good")).run(false, 1);
    Path model = directory.resolve("model");
    SpoiltWord.copy(directory.resolve("good/checkpoint-000001"), model, HIS);
    String[] settings = {"model.path=" + model, "run.non_finite=skip"};
    SmallRun whole = new SmallRun(directory.resolve("whole"));
    whole.run(false, 8, settings);
    SmallRun parts = new SmallRun(directory.resolve("parts"));
    parts.stopAfter(4).run(false, 8, settings);
    assertThat(losses(parts)).hasSize(4).anyMatch(loss -> loss.isNaN());
    parts.stopAfter(99).run(true, 8, settings);
    assertThat(losses(whole)).hasSize(8).anyMatch(loss -> Double.isFinite(loss));
    assertThat(losses(parts)).isEqualTo(losses(whole));
    assertThat(norms(parts)).isEqualTo(norms(whole));
  }

  @Test
  void writesADirectoryThatIsAModel() {
    new SmallRun(directory.resolve("run")).run(false, 2);
    try (Checkpoint model = Checkpoint.open(directory.resolve("run/checkpoint-000002"))) {
      assertThat(model.spec().layers()).isEqualTo(2);
      assertThat(model.spec().moe()).isNotNull();
    }
  }

  @Test
  void refusesAUsedDirectoryAndAnotherPipelineAndLeavesBothAlone() throws IOException {
    SmallRun run = new SmallRun(directory.resolve("run"));
    run.run(false, 2);
    String before = Files.readString(directory.resolve("run/metrics.csv"), StandardCharsets.UTF_8);
    assertThatThrownBy(() -> run.run(false, 2))
        .isInstanceOf(MoeException.class)
        .hasMessageContaining("not empty; choose another --out");
    assertThatThrownBy(() -> run.run(true, 2, "model.d_model=32"))
        .isInstanceOf(MoeException.class)
        .hasMessageContaining("model.d_model = 32: the run to resume has 16");
    assertThat(Files.readString(directory.resolve("run/metrics.csv"), StandardCharsets.UTF_8))
        .isEqualTo(before);
  }

  @Test
  void leavesNothingBehindWhereTheTextIsUnfit() throws IOException {
    Path empty = Files.writeString(directory.resolve("empty.txt"), "");
    Path out = directory.resolve("run");
    assertThatThrownBy(() -> new SmallRun(out).run(false, 2, "text.path=" + empty))
        .isInstanceOf(MoeException.class)
        .hasMessageContaining("no text in it");
    assertThat(out).doesNotExist();
  }

  private static List<Double> losses(SmallRun run) {
    List<Double> losses = new ArrayList<>();
    run.record().steps(step -> losses.add(step.losses().crossEntropy()));
    return losses;
  }

  private static List<Double> norms(SmallRun run) {
    List<Double> norms = new ArrayList<>();
    run.record().steps((StepMetrics step) -> norms.add(step.update().gradientNorm().orElseThrow()));
    return norms;
  }
}
