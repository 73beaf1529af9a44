package moe.cli;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import moe.conformance.rule.Rule;
import moe.conformance.rule.RuleBook;

/// What works on which backend as a Markdown page, from runs of the conformance kit.
final class SupportMatrix {
  private final List<KitRun> runs;

  /// The reasons for a "no", numbered in the order in which the table meets them.
  private final Map<String, Integer> reasons = new LinkedHashMap<>();

  SupportMatrix(List<KitRun> runs) {
    this.runs = List.copyOf(runs);
  }

  /// The whole page.
  String markdown() {
    StringBuilder page = new StringBuilder();
    page.append(
        """
        # What works where

        Found out by `moe-engine conformance`, which tries the [rules of the SPI](spi-rules.md). A number is the largest
        error measured, relative to the sum of the absolute values of the terms of a result; rounding of float32
        is 6e-8. *no* is refused with a reason, in the list below; *wrong* names the rule that found it.

        """);
    page.append(table());
    if (!reasons.isEmpty()) {
      page.append("\nWhy not:\n\n");
      reasons.forEach((reason, number) -> page.append("%d. %s\n".formatted(number, reason)));
    }
    page.append("\n## Runs\n\n");
    for (KitRun run : runs) {
      page.append(
          "- **%s** (%s), %s: %s.".formatted(run.title(), run.device(), run.date(), run.verdict()));
      page.append(rest(run)).append('\n');
    }
    return page.toString();
  }

  private String table() {
    StringBuilder table = new StringBuilder("| feature | weights | pass |");
    for (KitRun run : runs) {
      table.append(" %s |".formatted(run.title()));
    }
    table.append("\n|---|---|---|").append("---|".repeat(runs.size())).append('\n');
    for (List<String> key : keys()) {
      table.append("| %s |".formatted(String.join(" | ", key)));
      for (KitRun run : runs) {
        table.append(
            " %s |"
                .formatted(
                    run.features().stream()
                        .filter(feature -> key(feature).equals(key))
                        .findFirst()
                        .map(this::cell)
                        .orElse("")));
      }
      table.append('\n');
    }
    return table.toString();
  }

  /// All rows, in the order of the kit: by name, type and pass.
  private List<List<String>> keys() {
    Map<String, List<String>> keys = new TreeMap<>();
    for (KitRun run : runs) {
      for (KitRun.Feature feature : run.features()) {
        boolean forward = feature.pass().equals("forward");
        keys.put(
            "%s\t%s\t%d".formatted(feature.name(), feature.weights(), forward ? 0 : 1),
            key(feature));
      }
    }
    return List.copyOf(keys.values());
  }

  private static List<String> key(KitRun.Feature feature) {
    return List.of(feature.name(), feature.weights(), feature.pass());
  }

  private String cell(KitRun.Feature feature) {
    return switch (feature.support()) {
      case "yes" ->
          feature.error() == 0 ? "yes, exact" : "yes, " + KitReport.error(feature.error());
      case "no" -> {
        Integer number = reasons.computeIfAbsent(feature.detail(), _ -> reasons.size() + 1);
        yield "no (%d)".formatted(number);
      }
      default -> "**wrong** (%s)".formatted(feature.detail());
    };
  }

  /// The rules that do not simply hold, and those that were not tried or are younger than the run.
  private static String rest(KitRun run) {
    List<String> lines = new ArrayList<>();
    Set<String> tried = new LinkedHashSet<>();
    for (KitRun.Rule rule : run.rules()) {
      tried.add(rule.id());
      if (!rule.outcome().equals("held")) {
        lines.add(
            "\n  - %s (%s) %s: %s"
                .formatted(rule.id(), rule.level(), rule.outcome(), rule.detail().strip()));
      }
    }
    String rest =
        ranges(RuleBook.RULES.stream().filter(rule -> !tried.contains(rule.id())).toList());
    if (!rest.isEmpty()) {
      lines.add("\n  - not tried in this run: " + rest);
    }
    return String.join("", lines);
  }

  /// For example `DENSE-1, DENSE-4 to 7`.
  private static String ranges(List<Rule> rules) {
    List<String> ranges = new ArrayList<>();
    int from = 0;
    for (int i = 0; i < rules.size(); i++) {
      boolean last = i == rules.size() - 1 || !follows(rules.get(i), rules.get(i + 1));
      if (last) {
        String first = rules.get(from).id();
        ranges.add(from == i ? first : first + " to " + number(rules.get(i)));
        from = i + 1;
      }
    }
    return String.join(", ", ranges);
  }

  private static boolean follows(Rule rule, Rule next) {
    return rule.group().equals(next.group()) && number(rule) + 1 == number(next);
  }

  private static int number(Rule rule) {
    return Integer.parseInt(rule.id().substring(rule.group().length() + 1));
  }
}
