package moe.engine.report;

import static moe.engine.report.Words.say;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.stream.Collectors;
import moe.engine.metrics.Course;
import moe.engine.metrics.HeldOutMetrics;
import moe.engine.metrics.HeldOutSummary;
import moe.engine.metrics.ModelFacts;
import moe.engine.metrics.RunSummary;

/// What happened in a run, in plain sentences.
final class Findings {
  /// A run whose last loss is this much above its best has got worse, not merely noisier.
  private static final double WORSE = 1.03;

  private final RunDigest run;
  private final RunSummary summary;

  private Findings(RunDigest run) {
    this.run = run;
    this.summary = run.summary();
  }

  static List<Finding> of(RunDigest run) {
    var findings = new Findings(run);
    var list = new ArrayList<Finding>();
    list.add(new Finding("What ran", findings.what()));
    list.add(new Finding("How far", findings.howFar()));
    findings.howWell().ifPresent(words -> list.add(new Finding("How well", words)));
    if (run.lastStep() > 0) {
      list.add(new Finding("How fast", findings.howFast()));
    }
    if (!run.load().isEmpty()) {
      list.add(new Finding("Routing", RoutingFinding.of(run)));
    }
    run.summary()
        .energy()
        .ifPresent(energy -> list.add(new Finding("Energy", EnergyFinding.of(energy))));
    return list;
  }

  private String what() {
    ModelFacts model = summary.model();
    String experts =
        model
            .moe()
            .map(moe -> say(" with %d experts in each, %d per token", moe.experts(), moe.topK()))
            .orElse("");
    String active =
        model.activeParameters() < model.parameters()
            ? say(", %s of them active for a token", Words.count(model.activeParameters()))
            : "";
    return summary.course().training()
        ? say(
            "A %s model of %s%s (%s parameters%s) was trained on %s (%s tokens), starting from %s.",
            model.family(),
            Words.count(model.layers(), "layer"),
            experts,
            Words.count(model.parameters()),
            active,
            summary.text().name(),
            Words.count(summary.text().trainTokens()),
            model.weights())
        : say(
            "A %s model of %s%s (%s parameters%s, %s) was evaluated on %s.",
            model.family(),
            Words.count(model.layers(), "layer"),
            experts,
            Words.count(model.parameters()),
            active,
            model.weights(),
            summary.text().name());
  }

  private String howFar() {
    Course course = summary.course();
    String unit = course.training() ? "step" : "batch";
    int done = Math.max(course.steps(), run.lastStep());
    String of =
        done < course.plannedSteps()
            ? say("%,d of %s", done, plural(course.plannedSteps(), unit))
            : plural(done, unit);
    String end =
        switch (summary.ending().reason()) {
          case COMPLETED -> say("It did all it was asked to, %s", of);
          case TIME_LIMIT -> "The time limit ended it after " + of;
          case INTERRUPTED -> "It was interrupted after " + of;
          case DIVERGED -> "It diverged (the loss was no longer a number) after " + of;
          case FAILED -> "An error ended it after " + of;
          case RUNNING -> "It has not ended, or was killed; its record holds " + of;
        };
    double seconds = course.seconds() > 0 ? course.seconds() : run.seconds();
    String detail = summary.ending().detail();
    return say("%s, in %s.", end, Words.duration(seconds))
        + (detail.isBlank() ? "" : " It said: " + detail);
  }

  private static String plural(int count, String unit) {
    return say("%,d %s", count, count == 1 ? unit : unit.equals("batch") ? "batches" : "steps");
  }

  private Optional<String> howWell() {
    HeldOutSummary heldOut =
        HeldOutSummary.of(run.heldOut(), summary.heldOut().baselines()); // the lines know most
    if (heldOut.last().isEmpty()) {
      return run.lastStep() == 0 ? Optional.empty() : Optional.of(lossAlone());
    }
    HeldOutMetrics first = heldOut.first().orElseThrow();
    HeldOutMetrics last = heldOut.last().orElseThrow();
    if (!Double.isFinite(last.loss())) {
      return Optional.of("The last held-out perplexity is " + Words.number(last.loss()) + ".");
    }
    String course =
        first.step() == last.step()
            ? say("Held-out perplexity is %s", Words.number(last.perplexity()))
            : say(
                "Held-out perplexity %s from %s to %s",
                last.loss() < first.loss() ? "fell" : "rose",
                Words.number(first.perplexity()),
                Words.number(last.perplexity()));
    String best =
        heldOut
            .best()
            .filter(least -> last.perplexity() > WORSE * least.perplexity())
            .map(least ->
                say(
                    "; it was lowest, %s, at step %,d",
                    Words.number(least.perplexity()), least.step()))
            .orElse("");
    return Optional.of(course + best + "." + comparison(last.perplexity(), heldOut));
  }

  private static String comparison(double perplexity, HeldOutSummary heldOut) {
    OptionalDouble unigram = heldOut.baselines().unigram();
    if (unigram.isEmpty()) {
      return "";
    }
    double ratio = perplexity / unigram.getAsDouble();
    return ratio < 1
        ? say(
            " That is %s below the %s of guessing by token frequency: the model uses context.",
            Words.percent(1 - ratio), Words.number(unigram.getAsDouble()))
        : say(
            " Guessing by token frequency reaches %s: the model has yet to learn more than that.",
            Words.number(unigram.getAsDouble()));
  }

  private String lossAlone() {
    double last = run.series().mean("loss", 0.9, 1).orElse(Double.NaN);
    return say(
        "The loss went from %s to %s; the held-out text was not looked at.",
        Words.number(run.firstLoss()), Words.number(last));
  }

  private String howFast() {
    Latencies latencies = run.latencies();
    String speed =
        say(
            "A step took %s at the median, 95 %% took at most %s; that is %s tokens a second.",
            Words.millis(latencies.percentile(50)),
            Words.millis(latencies.percentile(95)),
            Words.number(run.tokensPerSecond()));
    String parts =
        run.phases().stream()
            .limit(3)
            .filter(phase -> phase.share() >= 0.05)
            .map(phase -> say("%s (%s)", phase.label(), Words.percent(phase.share())))
            .collect(Collectors.joining(", "));
    return parts.isEmpty() ? speed : speed + " Most of it went to " + parts + ".";
  }
}
