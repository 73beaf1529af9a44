package moe.backend.cuda;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import moe.engine.metrics.StepMetrics;
import moe.spi.Availability;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Training steps that are issued before the results of the one before are there, on a device that
/// does nothing until somebody waits for it.
final class AheadTest {
  /// Lets nothing be issued ahead: a checkpoint lies between any two steps.
  private static final String ONE_BY_ONE = "run.checkpoint_every=1";

  @TempDir private static Path models;
  private static TinyModel good;
  private static TinyModel spoilt;
  private static final EmulatedWhereThereIsNone CUDA = new EmulatedWhereThereIsNone();

  @TempDir private Path runs;

  @BeforeAll
  static void makeModels() throws IOException {
    assumeTrue(CUDA.probe() instanceof Availability.Available, "no GPU and no emulation");
    good = TinyModel.in(Files.createDirectory(models.resolve("good")), CUDA, (char) 0);
    spoilt = TinyModel.in(Files.createDirectory(models.resolve("spoilt")), CUDA, 'z');
  }

  @BeforeEach
  void forget() {
    CUDA.events().clear();
  }

  private EngineRun run(TinyModel model, String name, int steps, String... settings) {
    return run(model, name, Integer.MAX_VALUE, steps, settings);
  }

  private EngineRun run(
      TinyModel model, String name, int stopAfter, int steps, String... settings) {
    List<String> all = new ArrayList<>(List.of(settings));
    all.add("run.batches=" + steps);
    all.add("metrics.held_out_batches=1");
    if (model.equals(good)) {
      all.addAll(List.of("run.accumulate=1", "run.seq_length=8"));
    }
    return model.run(CUDA, "cuda", runs.resolve(name), stopAfter, all.toArray(String[]::new));
  }

  /// The number of the last step that was issued when the results of each step were waited for.
  private static List<Integer> issued() {
    assumeTrue(!CUDA.events().isEmpty(), "only the emulation tells");
    List<Integer> issued = new ArrayList<>();
    int marks = 0;
    for (String event : CUDA.events()) {
      if (event.equals("mark")) {
        marks++;
      } else {
        issued.add(marks);
      }
    }
    return issued;
  }

  /// All that is known of a step but its times.
  private static List<Object> facts(EngineRun run) {
    return run.steps.stream().map(AheadTest::withoutTimes).toList();
  }

  private static Object withoutTimes(StepMetrics step) {
    return List.of(step.step(), step.epoch(), step.losses(), step.update(), step.routing());
  }

  private void assertSameWeights(String one, String other, int step) {
    for (String file : List.of("model.safetensors", "optimizer.safetensors")) {
      String checkpoint = "checkpoint-%06d/%s".formatted(step, file);
      assertThat(runs.resolve(one).resolve(checkpoint))
          .hasSameBinaryContentAs(runs.resolve(other).resolve(checkpoint));
    }
  }

  /// Steps 1 and 17 are split into phases, so the steps before and after them are not issued ahead.
  @Test
  void issuesTheNextStepBeforeItWaitsForThisOne() {
    long begin = System.nanoTime();
    EngineRun ahead = run(good, "ahead", 18);
    double all = (System.nanoTime() - begin) / 1e6;
    double steps = ahead.steps.stream().mapToDouble(step -> step.times().totalMillis()).sum();
    assertThat(steps).as("steps, each from the end of the one before").isBetween(1e-3, all);
    assertThat(issued())
        .containsExactly(1, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 16, 17, 18);
    CUDA.events().clear();
    EngineRun oneByOne = run(good, "one-by-one", 18, ONE_BY_ONE);
    assertThat(issued())
        .containsExactly(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18);
    assertThat(facts(ahead)).hasSize(18).isEqualTo(facts(oneByOne));
    assertSameWeights("ahead", "one-by-one", 18);
  }

  @Test
  void issuesNothingAheadOfALookOrACheckpoint() {
    run(good, "run", 8, "run.checkpoint_every=3", "metrics.held_out_every=4");
    assertThat(issued()).containsExactly(1, 3, 3, 4, 6, 6, 8, 8);
  }

  /// The step behind one that is no number is forgotten and issued again, with the same schedule.
  @Test
  void skipsStepsAndNamesTheirPlacesAsIfNothingHadBeenIssued() {
    EngineRun ahead = run(spoilt, "ahead", 6, "run.non_finite=skip");
    assertThat(issued()).hasSize(6).last().matches(marks -> marks > 6, "repeated steps");
    EngineRun oneByOne = run(spoilt, "one-by-one", 6, "run.non_finite=skip", ONE_BY_ONE);
    assertThat(ahead.losses()).anyMatch(loss -> loss.isNaN());
    assertThat(ahead.losses().getLast()).isFinite();
    assertThat(facts(ahead)).isEqualTo(facts(oneByOne));
    assertThat(ahead.notices).isEqualTo(oneByOne.notices);
    assertThat(ahead.notices).anyMatch(line -> line.contains("first in embedding, token"));
    assertSameWeights("ahead", "one-by-one", 6);
  }

  @Test
  void endsAtTheFirstStepThatIsNoNumber() {
    EngineRun ahead = run(spoilt, "ahead", 6);
    EngineRun oneByOne = run(spoilt, "one-by-one", 6, ONE_BY_ONE);
    assertThat(ahead.notices.getLast()).startsWith("DIVERGED");
    assertThat(ahead.notices).isEqualTo(oneByOne.notices);
    assertThat(facts(ahead)).isEqualTo(facts(oneByOne));
  }

  /// A stop finds the next step under way: it is made, saved, and not made again.
  @Test
  void goesOnBehindAStopToTheBit() {
    EngineRun whole = run(good, "whole", 6);
    EngineRun begun = run(good, "parts", 3, 6);
    assertThat(begun.steps).hasSize(4);
    assertThat(begun.notices.getLast()).startsWith("INTERRUPTED: stopped after step 4 of 6");
    EngineRun rest = run(good, "parts", 6);
    List<Object> both = new ArrayList<>(facts(begun));
    both.addAll(facts(rest));
    assertThat(both).isEqualTo(facts(whole));
    assertSameWeights("parts", "whole", 6);
  }
}
