package moe.engine.compare;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import moe.engine.report.ComparePage;
import org.jspecify.annotations.Nullable;

/// A comparison as a page.
public final class ComparisonPage {
  private ComparisonPage() {}

  /// Writes `compare.html`.
  public static void write(Path target, Comparison comparison) {
    List<ComparePage.ArmData> arms = new ArrayList<>();
    Set<String> notes = new LinkedHashSet<>();
    for (ArmResult arm : comparison.arms()) {
      String overrides = String.join("; ", arm.arm().overrides());
      switch (arm) {
        case ArmResult.Finished done -> {
          arms.add(
              new ComparePage.ArmData(
                  done.arm().name(),
                  overrides,
                  comparison.versus(done).map(Versus::sentence).orElse(""),
                  Figures.of(done, comparison.finished()),
                  done.turns().stream().map(Turn::millisPerStep).toList(),
                  done.metered()
                      ? done.turns().stream().map(Turn::joulesPerToken).toList()
                      : List.of()));
          notes.add("Energy: " + done.method());
        }
        case ArmResult.Failed(var failed, String message, var _) -> {
          arms.add(
              new ComparePage.ArmData(
                  failed.name(), overrides, "Failed: " + message, Map.of(), List.of(), List.of()));
        }
      }
    }
    notes.add(
        "± is the standard deviation over turns; for a difference of losses, that of its mean over"
            + " batches. A difference counts from two of these on.");
    ComparePage.write(
        target,
        new ComparePage.Data(
            comparison.name(), arms, pareto(comparison.finished()), List.copyOf(notes)));
  }

  private static ComparePage.@Nullable Pareto pareto(List<ArmResult.Finished> arms) {
    if (arms.size() < 2) {
      return null;
    }
    boolean metered = arms.stream().allMatch(ArmResult.Finished::metered);
    boolean estimated = arms.stream().anyMatch(arm -> arm.method().startsWith("estimated"));
    List<ComparePage.Point> points = new ArrayList<>();
    for (ArmResult.Finished arm : arms) {
      double cost =
          metered
              ? 1e3 * arm.over(Turn::joulesPerToken).mean()
              : arm.over(Turn::distinctExperts).mean();
      points.add(new ComparePage.Point(arm.arm().name(), arm.perplexity(), cost));
    }
    return new ComparePage.Pareto(
        metered ? "mJ per token" + (estimated ? ", estimated" : "") : "experts read in a step",
        points);
  }
}
