package moe.cli;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import moe.conformance.ConformanceReport;
import moe.conformance.Outcome;
import moe.conformance.RuleResult;
import moe.conformance.trial.Standing;
import moe.spi.device.DeviceInfo;

/// What the conformance kit found out about one backend, as its JSON says it.
///
/// @param precision the format of products, for example `f32`
/// @param date of the run, for example `2026-11-23`
/// @param conforms whether every MUST was tried and holds
record KitRun(
    String backend,
    String device,
    String precision,
    String date,
    boolean conforms,
    List<Rule> rules,
    List<Feature> features) {
  KitRun {
    rules = List.copyOf(rules);
    features = List.copyOf(features);
  }

  /// What became of a rule.
  ///
  /// @param outcome `held`, `not-claimed`, `broken` or `skipped`
  /// @param detail the reason, empty for one that holds
  record Rule(String id, String level, String outcome, String detail) {}

  /// How the backend stands with one feature.
  ///
  /// @param weights how they are stored, for example `f32`
  /// @param pass `forward` or `backward`
  /// @param support `yes`, `no` or `wrong`
  /// @param error the largest measured, relative to the sum of the absolute values of a result's
  ///   terms; of no meaning but for `yes`
  /// @param tolerance the largest allowed
  /// @param detail why not, or the rule that found an error
  record Feature(
      String name,
      String weights,
      String pass,
      String support,
      double error,
      double tolerance,
      String detail) {}

  static KitRun of(ConformanceReport report, String date) {
    List<Feature> features = new ArrayList<>();
    report.standings().forEach((feature, standing) -> features.add(feature(feature, standing)));
    DeviceInfo device = report.device();
    return new KitRun(
        device.backend(),
        device.name(),
        report.precision().key(),
        date,
        report.conforms(),
        report.results().stream().map(KitRun::rule).toList(),
        features);
  }

  private static Rule rule(RuleResult result) {
    String id = result.rule().id();
    String level = result.rule().level().name();
    return switch (result.outcome()) {
      case Outcome.Held() -> new Rule(id, level, "held", "");
      case Outcome.NotClaimed(String reason) -> new Rule(id, level, "not-claimed", reason);
      case Outcome.Broken(String message, var _) -> new Rule(id, level, "broken", message);
      case Outcome.Skipped(String reason) -> new Rule(id, level, "skipped", reason);
    };
  }

  private static Feature feature(moe.conformance.trial.Feature feature, Standing standing) {
    String name = feature.name();
    String weights = feature.type().name().toLowerCase(Locale.ROOT);
    String pass = feature.pass().name().toLowerCase(Locale.ROOT);
    return switch (standing) {
      case Standing.Right(double error, double tolerance) ->
          new Feature(name, weights, pass, "yes", error, tolerance, "");
      case Standing.Refused(String reason) -> new Feature(name, weights, pass, "no", 0, 0, reason);
      case Standing.Wrong(String rule) -> new Feature(name, weights, pass, "wrong", 0, 0, rule);
    };
  }

  /// The backend, and in which format it multiplied if not in float32: `cuda bf16`.
  String title() {
    return precision.equals("f32") ? backend : backend + " " + precision;
  }

  /// How many rules became this.
  long count(String outcome) {
    return rules.stream().filter(rule -> rule.outcome().equals(outcome)).count();
  }

  /// For example `conforms: 81 rules hold, 2 not claimed, 0 broken, 0 skipped`.
  String verdict() {
    return "%s: %d rules hold, %d not claimed, %d broken, %d skipped"
        .formatted(
            conforms ? "conforms" : "does not conform",
            count("held"),
            count("not-claimed"),
            count("broken"),
            count("skipped"));
  }
}
