package moe.engine.compare;

import static java.util.Locale.ROOT;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// The figures of an arm as texts, each mean with its deviation.
public final class Figures {
  private Figures() {}

  /// By column: time, speed, energy, routing, quality; without what was not measured.
  public static Map<String, String> of(ArmResult.Finished arm, List<ArmResult.Finished> all) {
    Map<String, String> figures = new LinkedHashMap<>();
    figures.put("ms/step", text(arm.over(Turn::millisPerStep), "%.2f", 1));
    figures.put("tokens/s", text(arm.over(Turn::tokensPerSecond), "%.0f", 1));
    if (all.stream().anyMatch(ArmResult.Finished::metered)) {
      energy(figures, arm);
    }
    figures.put(
        "experts read", String.format(ROOT, "%.2f", arm.over(Turn::distinctExperts).mean()));
    figures.put(
        "experts/token", String.format(ROOT, "%.2f", arm.over(Turn::expertsPerToken).mean()));
    if (arm.turns().stream().anyMatch(turn -> turn.updates() > 0)) {
      figures.put(
          "TTT updates", Long.toString(arm.turns().stream().mapToLong(Turn::updates).sum()));
    }
    figures.put("loss", String.format(ROOT, "%.4f", arm.loss()));
    figures.put("perplexity", String.format(ROOT, "%.2f", arm.perplexity()));
    return figures;
  }

  private static void energy(Map<String, String> figures, ArmResult.Finished arm) {
    String mark = arm.method().startsWith("estimated") ? " (estimated)" : "";
    Spread joules = arm.over(Turn::joulesPerToken);
    Spread watts = arm.over(turn -> turn.joules().orElse(Double.NaN) / turn.seconds());
    Spread delay = arm.over(turn -> turn.joulesPerToken() * turn.seconds() / turn.tokens());
    figures.put("mJ/token" + mark, text(joules, "%.3f", 1e3));
    Spread net = arm.netJoulesPerToken();
    if (!Double.isNaN(net.mean())) {
      figures.put("net mJ/token", text(net, "%.3f", 1e3));
    }
    figures.put("W" + mark, text(watts, "%.1f", 1));
    figures.put("tokens/s/W" + mark, String.format(ROOT, "%.3g", 1 / joules.mean()));
    figures.put("EDP µJ·s" + mark, String.format(ROOT, "%.3g", 1e6 * delay.mean()));
  }

  private static String text(Spread spread, String format, double scale) {
    if (Double.isNaN(spread.mean())) {
      return "";
    }
    String mean = String.format(ROOT, format, scale * spread.mean());
    return spread.repeats() < 2
        ? mean
        : mean + " ± " + String.format(ROOT, format, scale * spread.deviation());
  }
}
