package moe.cli;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import moe.conformance.rule.Rule;
import moe.conformance.rule.RuleBook;
import moe.engine.wiring.Refusal;

/// The results of the conformance kit as text or as JSON.
///
/// @param refusals backends that could not be tried
record KitReport(List<KitRun> runs, List<Refusal> refusals) {
  /// A verdict for each backend, what does not hold with what to check, and a table of features.
  String text() {
    StringBuilder out = new StringBuilder();
    for (KitRun run : runs) {
      out.append("%s: %s%n%s%n".formatted(run.title(), run.device(), run.verdict()));
      for (KitRun.Rule rule : run.rules()) {
        if (!rule.outcome().equals("held")) {
          out.append(
              "  %s %s %s: %s%n".formatted(rule.id(), rule.level(), rule.outcome(), rule.detail()));
        }
        if (rule.outcome().equals("broken")) {
          Rule broken = rule(rule.id());
          out.append("    %s%n".formatted(broken.intent()));
          out.append("    If this fails, check %s%n".formatted(broken.hint()));
        }
      }
      out.append(System.lineSeparator()).append(table(run)).append(System.lineSeparator());
    }
    for (Refusal refusal : refusals) {
      out.append("not tried: %s%n".formatted(refusal));
    }
    return out.toString();
  }

  private static TextTable table(KitRun run) {
    TextTable table = new TextTable("feature", "weights", "pass", "works", "error", "tolerated");
    for (KitRun.Feature feature : run.features()) {
      boolean right = feature.support().equals("yes");
      table.row(
          feature.name(),
          feature.weights(),
          feature.pass(),
          right ? "yes" : feature.support() + ": " + feature.detail(),
          right ? error(feature.error()) : "-",
          right ? error(feature.tolerance()) : "-");
    }
    return table;
  }

  /// For example `3.2e-07`, or `exact`.
  static String error(double error) {
    return error == 0 ? "exact" : String.format(Locale.ROOT, "%.1e", error);
  }

  private static Rule rule(String id) {
    return RuleBook.RULES.stream().filter(rule -> rule.id().equals(id)).findFirst().orElseThrow();
  }

  /// All of it as one object.
  String json() {
    Map<String, Object> root = new LinkedHashMap<>();
    root.put("backends", runs.stream().map(KitReport::json).toList());
    root.put(
        "not_tried",
        refusals.stream()
            .map(refusal -> Map.of("backend", refusal.what(), "reason", refusal.reason()))
            .toList());
    return Json.text(root);
  }

  private static Map<String, Object> json(KitRun run) {
    Map<String, Object> object = new LinkedHashMap<>();
    object.put("backend", run.backend());
    object.put("device", run.device());
    object.put("precision", run.precision());
    object.put("date", run.date());
    object.put("conforms", run.conforms());
    object.put("rules", run.rules().stream().map(KitReport::json).toList());
    object.put("features", run.features().stream().map(KitReport::json).toList());
    return object;
  }

  private static Map<String, Object> json(KitRun.Rule rule) {
    Map<String, Object> object = new LinkedHashMap<>();
    object.put("id", rule.id());
    object.put("level", rule.level());
    object.put("outcome", rule.outcome());
    if (!rule.detail().isEmpty()) {
      object.put("detail", rule.detail());
    }
    return object;
  }

  private static Map<String, Object> json(KitRun.Feature feature) {
    Map<String, Object> object = new LinkedHashMap<>();
    object.put("name", feature.name());
    object.put("weights", feature.weights());
    object.put("pass", feature.pass());
    object.put("works", feature.support());
    if (feature.support().equals("yes")) {
      object.put("error", feature.error());
      object.put("tolerance", feature.tolerance());
    } else {
      object.put("detail", feature.detail());
    }
    return object;
  }
}
