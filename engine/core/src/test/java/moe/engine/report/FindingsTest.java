package moe.engine.report;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalLong;
import java.util.stream.Collectors;
import moe.engine.metrics.Baselines;
import moe.engine.metrics.Course;
import moe.engine.metrics.Ending;
import moe.engine.metrics.Examples;
import moe.engine.metrics.ExpertLoad;
import moe.engine.metrics.HeldOutMetrics;
import moe.engine.metrics.HeldOutSummary;
import moe.engine.metrics.LayerRouting;
import moe.engine.metrics.Losses;
import moe.engine.metrics.Meters;
import moe.engine.metrics.Phase;
import moe.engine.metrics.RunFiles;
import moe.engine.metrics.RunLog;
import moe.engine.metrics.RunRecord;
import moe.engine.metrics.RunSummary;
import moe.engine.metrics.StepMetrics;
import moe.engine.metrics.StepTimes;
import moe.engine.metrics.Update;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// The sentences say what the numbers say.
final class FindingsTest {
  @TempDir Path directory;

  @Test
  void tellsWhatRanAndHowFarItCame() {
    Map<String, String> said = findings(Ending.Reason.TIME_LIMIT, List.of(), 6.5);
    assertThat(said)
        .containsEntry(
            "What ran",
            "A gpt2 model of 2 layers with 4 experts in each, 2 per token (3.40 million parameters,"
                + " 3.30 million of them active for a token) was trained on sotu (1.84 million"
                + " tokens), starting from random weights (seed 42).")
        .containsEntry("How far", "The time limit ended it after 4 of 8 steps, in 2.0 s.");
  }

  @Test
  void saysInWordsHowEachRunEnded() {
    assertThat(findings(Ending.Reason.COMPLETED, List.of(), 6.5).get("How far"))
        .startsWith("It did all it was asked to, 4 of 8 steps");
    assertThat(findings(Ending.Reason.INTERRUPTED, List.of(), 6.5).get("How far"))
        .startsWith("It was interrupted after 4 of 8 steps");
    assertThat(findings(Ending.Reason.DIVERGED, List.of(), Double.NaN).get("How far"))
        .startsWith("It diverged (the loss was no longer a number) after 4");
    assertThat(findings(Ending.Reason.FAILED, List.of(), 6.5).get("How far"))
        .startsWith("An error ended it after 4");
    assertThat(findings(Ending.Reason.RUNNING, List.of(), 6.5).get("How far"))
        .startsWith("It has not ended, or was killed; its record holds 4 of 8 steps");
  }

  @Test
  void comparesPerplexityWithGuessingByFrequency() {
    assertThat(held(Math.log(2000), Math.log(500)))
        .isEqualTo(
            "Held-out perplexity fell from 2,000 to 500. That is 50 % below the 1,000 of guessing"
                + " by token frequency: the model uses context.");
    assertThat(held(Math.log(1200), Math.log(2000)))
        .isEqualTo(
            "Held-out perplexity rose from 1,200 to 2,000; it was lowest, 1,200, at step 0."
                + " Guessing by token frequency reaches 1,000: the model has yet to learn more than"
                + " that.");
    assertThat(held(Math.log(700))).startsWith("Held-out perplexity is 700. That is 30 % below");
    assertThat(held(Math.log(700), Double.NaN))
        .isEqualTo("The last held-out perplexity is not a number.");
    assertThat(held())
        .isEqualTo("The loss went from 6.50 to 6.50; the held-out text was not looked at.");
  }

  @Test
  void tellsWhereTheTimeWent() {
    assertThat(findings(Ending.Reason.COMPLETED, List.of(), 6.5).get("How fast"))
        .isEqualTo(
            "A step took 200 ms at the median, 95 % took at most 200 ms; that is 320 tokens a"
                + " second. Most of it went to experts (60 %), head (30 %).");
  }

  @Test
  void namesBusyAndIdleExperts() {
    // Layer 0 is even (entropy 1); layer 1 sends nearly all to expert 2 (by hand: 0.241 / ln 4).
    assertThat(findings(Ending.Reason.COMPLETED, List.of(), 6.5).get("Routing"))
        .contains("63 % of a layer's experts were the first choice")
        .contains("the load was very uneven (entropy 59 % of its maximum)")
        .contains("busiest expert at 2.4 × the mean")
        .contains("the busiest was layer 1, expert 2, at 3.8 × its fair share")
        .contains("3 experts got less than a tenth of the fair share: layer 1, expert 0; layer 1,");
  }

  private String held(double... losses) {
    var results = new ArrayList<HeldOutMetrics>();
    for (double loss : losses) {
      results.add(new HeldOutMetrics(2 * results.size(), loss, 960, 10));
    }
    return findings(Ending.Reason.COMPLETED, results, 6.5).getOrDefault("How well", "");
  }

  private Map<String, String> findings(
      Ending.Reason reason, List<HeldOutMetrics> heldOut, double loss) {
    var files = new RunFiles(directory);
    files.metrics().toFile().delete();
    files.heldOut().toFile().delete();
    files.csv().toFile().delete();
    try (RunLog log = RunLog.create(files)) {
      for (int step = 1; step <= 4; step++) {
        log.add(step(step, loss));
      }
      heldOut.forEach(log::add);
      log.write(summary(reason));
    }
    return Findings.of(RunDigest.of(RunRecord.in(directory))).stream()
        .collect(Collectors.toMap(Finding::about, Finding::text));
  }

  private static StepMetrics step(int number, double loss) {
    return new StepMetrics(
        number,
        1,
        Losses.of(loss),
        new StepTimes(64, 200, Map.of(Phase.EXPERTS, 120.0, Phase.HEAD, 60.0, Phase.NORM, 2.0)),
        Update.NONE,
        List.of(
            LayerRouting.of(4, ExpertLoad.of(32, 32, 32, 32)),
            LayerRouting.of(1, ExpertLoad.of(2, 2, 122, 2))),
        Meters.NONE);
  }

  private static RunSummary summary(Ending.Reason reason) {
    RunSummary example = Examples.summary();
    Course course = example.course();
    return example.at(
        Ending.of(reason),
        new Course(true, course.started(), 4, 8, 256, 2, OptionalLong.empty()),
        new HeldOutSummary(
            Optional.empty(),
            Optional.empty(),
            Optional.empty(),
            new Baselines(OptionalDouble.of(50_257), OptionalDouble.of(1000))));
  }
}
