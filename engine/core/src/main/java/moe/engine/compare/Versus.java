package moe.engine.compare;

import static java.util.Locale.ROOT;

import java.util.ArrayList;
import java.util.List;

/// An arm against the first one.
///
/// @param speedup time of the first over that of this, pair by pair of turns
/// @param energySaving share of the joules of the first that this saves; NaN without a meter
/// @param lossDifference this less the first, batch by batch; the deviation is that of the mean
/// @param sentence all of it in plain words
public record Versus(Spread speedup, Spread energySaving, Spread lossDifference, String sentence) {
  static Versus of(ArmResult.Finished first, ArmResult.Finished arm) {
    int pairs = Math.min(first.turns().size(), arm.turns().size());
    double[] speedups = new double[pairs];
    double[] savings = new double[pairs];
    for (int i = 0; i < pairs; i++) {
      Turn a = first.turns().get(i);
      Turn b = arm.turns().get(i);
      speedups[i] =
          a.millisPerStep() / a.tokens() * a.steps() / (b.millisPerStep() / b.tokens() * b.steps());
      savings[i] = 1 - b.joulesPerToken() / a.joulesPerToken();
    }
    int batches = Math.min(first.losses().size(), arm.losses().size());
    double[] differences = new double[batches];
    for (int i = 0; i < batches; i++) {
      differences[i] = arm.losses().get(i) - first.losses().get(i);
    }
    Spread speedup = Spread.of(speedups);
    Spread saving = Spread.of(savings);
    Spread loss = Spread.ofMean(differences);
    return new Versus(speedup, saving, loss, sentence(first, arm, speedup, saving, loss));
  }

  private static String sentence(
      ArmResult.Finished first,
      ArmResult.Finished arm,
      Spread speedup,
      Spread saving,
      Spread loss) {
    List<String> parts = new ArrayList<>();
    String name = arm.arm().name();
    String other = first.arm().name();
    if (speedup.repeats() < 2) {
      parts.add(
          String.format(
              ROOT,
              "%s is %.2f × %s in one turn, whose noise is not known",
              name,
              speedup.mean(),
              other));
    } else {
      parts.add(
          speedup.differsFrom(1)
              ? String.format(
                  ROOT, "%s is %.2f ± %.2f × %s", name, speedup.mean(), speedup.deviation(), other)
              : String.format(
                  ROOT,
                  "%s and %s: no difference in speed beyond noise (%.2f ± %.2f)",
                  name,
                  other,
                  speedup.mean(),
                  speedup.deviation()));
    }
    if (Double.isNaN(saving.mean())) {
      parts.add("energy not measured");
    } else {
      parts.add(
          saving.differsFrom(0)
              ? String.format(
                  ROOT,
                  "energy per token %+.1f ± %.1f %%%s",
                  -100 * saving.mean(),
                  100 * saving.deviation(),
                  estimated(arm))
              : "no difference in energy beyond noise" + estimated(arm));
    }
    parts.add(
        loss.differsFrom(0)
            ? String.format(
                ROOT,
                "held-out loss %+.4f ± %.4f (perplexity %.1f against %.1f)",
                loss.mean(),
                loss.deviation(),
                arm.perplexity(),
                first.perplexity())
            : "no difference in loss beyond noise");
    return String.join("; ", parts) + ".";
  }

  private static String estimated(ArmResult.Finished arm) {
    return arm.method().startsWith("estimated") ? " (estimated)" : "";
  }
}
