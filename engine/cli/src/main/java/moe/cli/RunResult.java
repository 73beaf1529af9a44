package moe.cli;

import java.nio.file.Path;
import java.util.Locale;
import java.util.Optional;
import moe.engine.metrics.HeldOutMetrics;
import moe.engine.metrics.RunFiles;
import moe.engine.metrics.RunSummary;

/// What a run came to, in a few lines for people.
final class RunResult {
  private RunResult() {}

  static String text(Path directory, RunSummary summary) {
    StringBuilder text = new StringBuilder();
    String detail = summary.ending().detail();
    line(
        text,
        "ended",
        summary.ending().reason().key().replace('_', ' ')
            + (detail.isEmpty() ? "" : ": " + detail));
    line(
        text,
        "steps",
        String.format(
            Locale.ROOT,
            "%d of %d, %,d tokens in %s",
            summary.course().steps(),
            summary.course().plannedSteps(),
            summary.course().tokens(),
            RunProgress.duration(summary.course().seconds())));
    line(text, "held out", heldOut(summary));
    line(text, "report", new RunFiles(directory).report().toString());
    return text.toString();
  }

  private static String heldOut(RunSummary summary) {
    Optional<HeldOutMetrics> last = summary.heldOut().last();
    if (last.isEmpty()) {
      return "not looked at";
    }
    double first = summary.heldOut().first().orElseThrow().perplexity();
    double unigram = summary.heldOut().baselines().unigram().orElse(Double.NaN);
    return String.format(
        Locale.ROOT,
        "perplexity %,.1f%s; a unigram model has %,.1f",
        last.get().perplexity(),
        summary.course().training() ? String.format(Locale.ROOT, " (%,.1f at first)", first) : "",
        unigram);
  }

  private static void line(StringBuilder text, String name, String value) {
    text.append(String.format("%-9s %s%n", name, value));
  }
}
