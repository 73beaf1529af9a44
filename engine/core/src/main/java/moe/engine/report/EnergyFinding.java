package moe.engine.report;

import static moe.engine.report.Words.say;

import java.util.ArrayList;
import java.util.List;
import moe.engine.metrics.EnergySummary;

/// What the page says of energy.
final class EnergyFinding {
  private EnergyFinding() {}

  /// One or two sentences; an estimate is called one.
  static String of(EnergySummary energy) {
    String spread =
        energy.deviation().isPresent()
            ? say(" ± %s", Words.number(1e3 * energy.deviation().getAsDouble()))
            : "";
    String net =
        energy.netJoulesPerToken().isPresent()
            ? say(
                ", %s net of idle power",
                Words.number(1e3 * energy.netJoulesPerToken().getAsDouble()))
            : "";
    String what =
        say(
            "%s%s mJ a token%s over %s; %s W on average, %s W at most.",
            Words.number(1e3 * energy.joulesPerToken()),
            spread,
            net,
            Words.count(energy.windows(), "window"),
            Words.number(energy.averageWatts()),
            Words.number(energy.peakWatts()));
    return (energy.estimated() ? "Estimated, not measured: " : "") + what;
  }

  static List<Fact> facts(EnergySummary energy) {
    String mark = energy.estimated() ? " (estimated)" : "";
    List<Fact> facts = new ArrayList<>();
    facts.add(new Fact("Meter", energy.method()));
    energy
        .idleWatts()
        .ifPresent(watts -> facts.add(new Fact("Idle power", say("%s W", Words.number(watts)))));
    facts.add(new Fact("Average power" + mark, say("%s W", Words.number(energy.averageWatts()))));
    facts.add(new Fact("Peak power" + mark, say("%s W", Words.number(energy.peakWatts()))));
    facts.add(
        new Fact("Per token" + mark, say("%s mJ", Words.number(1e3 * energy.joulesPerToken()))));
    energy
        .netJoulesPerToken()
        .ifPresent(
            net -> facts.add(new Fact("Net of idle", say("%s mJ", Words.number(1e3 * net)))));
    facts.add(new Fact("Tokens/s per W" + mark, Words.number(energy.tokensPerSecondPerWatt())));
    facts.add(
        new Fact(
            "Energy · delay" + mark, say("%s µJ·s", Words.number(1e6 * energy.energyDelay()))));
    energy
        .fit()
        .ifPresent(fit -> {
          facts.add(new Fact("Fit of a step, R²", say("%.3f", fit.rSquared())));
          facts.add(
              new Fact("a, per byte read", say("%s pJ", Words.number(1e12 * fit.joulesPerByte()))));
          facts.add(
              new Fact("b, per FLOP", say("%s pJ", Words.number(1e12 * fit.joulesPerFlop()))));
        });
    return facts;
  }
}
