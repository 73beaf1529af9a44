package moe.engine.report;

import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import moe.engine.files.SafeFile;
import org.jspecify.annotations.Nullable;

/// The page of a comparison, one file like that of a run.
public final class ComparePage {
  private ComparePage() {}

  /// What the page's script reads.
  ///
  /// @param arms in order, the one to compare with first
  /// @param pareto what both axes of the last chart show; null where there is nothing to trade
  /// @param notes under the table: meters, failures, how turns were made
  public record Data(
      String title, List<ArmData> arms, @Nullable Pareto pareto, List<String> notes) {}

  /// One arm. A number that is not known is null.
  ///
  /// @param figures label and text, in the order of the table
  /// @param stepMillis of each turn
  /// @param joulesPerToken of each turn; empty without a meter
  public record ArmData(
      String name,
      String overrides,
      String sentence,
      Map<String, String> figures,
      List<Double> stepMillis,
      List<Double> joulesPerToken) {}

  /// The trade between quality and cost.
  ///
  /// @param cost what is saved, with its unit
  /// @param points perplexity and cost of each arm
  public record Pareto(String cost, List<Point> points) {}

  /// One arm in the trade.
  public record Point(String name, double perplexity, double cost) {}

  /// Writes the page.
  ///
  /// @throws moe.spi.error.MoeException kind `DATA` if the disk refuses
  public static void write(Path target, Data data) {
    SafeFile.write(target, Page.of("compare.html", List.of("theme.js", "compare.js"), data));
  }
}
