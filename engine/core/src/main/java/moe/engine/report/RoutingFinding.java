package moe.engine.report;

import static moe.engine.report.Words.say;

import java.util.ArrayList;
import java.util.List;
import java.util.OptionalDouble;

/// What the routers did, in plain sentences.
final class RoutingFinding {
  private static final double LATE = 0.75; // the last quarter shows what was learned
  private static final double BUSY = 1.5; // times the fair share
  private static final double IDLE = 0.1;
  private static final int MOST_NAMED = 6;

  private RoutingFinding() {}

  static String of(RunDigest run) {
    ThinnedSeries series = run.series();
    double diversity = series.mean("diversity", LATE, 1).orElse(0);
    double entropy = series.mean("entropy", LATE, 1).orElse(0);
    OptionalDouble early = series.mean("diversity", 0, 0.02);
    String change =
        early.isPresent() && Math.abs(early.getAsDouble() - diversity) >= 0.02
            ? say(" (%s at the start)", Words.percent(early.getAsDouble()))
            : "";
    return say(
            "In the last quarter, %s of a layer's experts were the first choice of some token in a"
                + " step%s; the load was %s (entropy %s of its maximum), the busiest expert at %s"
                + " the mean.",
            Words.percent(diversity),
            change,
            evenness(entropy),
            Words.percent(entropy),
            Words.times(series.mean("maxOverMean", LATE, 1).orElse(0)))
        + outliers(run.load().shares());
  }

  private static String evenness(double entropy) {
    if (entropy >= 0.97) {
      return "nearly even";
    }
    return entropy >= 0.9 ? "fairly even" : entropy >= 0.6 ? "uneven" : "very uneven";
  }

  /// The busiest expert of the run, and those that hardly got a token.
  private static String outliers(LoadMap.Shares shares) {
    double most = 0;
    String busiest = "";
    List<String> idle = new ArrayList<>();
    for (int layer = 0; layer < shares.layers(); layer++) {
      for (int expert = 0; expert < shares.experts(); expert++) {
        double share = shares.total().get(layer).get(expert);
        String name = say("layer %d, expert %d", layer, expert);
        if (share > most) {
          most = share;
          busiest = name;
        }
        if (share < IDLE) {
          idle.add(name);
        }
      }
    }
    String top =
        most >= BUSY
            ? say(
                " Over the run the busiest was %s, at %s its fair share.",
                busiest, Words.times(most))
            : "";
    return top + (idle.isEmpty() ? "" : " " + idle(idle));
  }

  private static String idle(List<String> names) {
    String listed = String.join("; ", names.subList(0, Math.min(names.size(), MOST_NAMED)));
    return say(
        "%s got less than a tenth of the fair share: %s%s.",
        Words.count(names.size(), "expert"), listed, names.size() > MOST_NAMED ? "; …" : "");
  }
}
