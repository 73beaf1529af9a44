package moe.cli;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import moe.engine.compare.ArmResult;
import moe.engine.compare.Comparison;
import moe.engine.compare.Figures;
import moe.engine.compare.Spread;
import moe.engine.compare.Turn;

/// A comparison as a table for people and as JSON for programs.
final class CompareText {
  private CompareText() {}

  static String table(Comparison comparison) {
    List<ArmResult.Finished> finished = finished(comparison);
    Set<String> columns = new LinkedHashSet<>(List.of("arm"));
    finished.forEach(arm -> columns.addAll(Figures.of(arm, finished).keySet()));
    TextTable table = new TextTable(columns.toArray(String[]::new));
    StringBuilder below = new StringBuilder();
    Set<String> methods = new LinkedHashSet<>();
    for (ArmResult arm : comparison.arms()) {
      switch (arm) {
        case ArmResult.Finished done -> {
          Map<String, String> figures = Figures.of(done, finished);
          table.row(
              columns.stream()
                  .map(column ->
                      column.equals("arm") ? done.arm().name() : figures.getOrDefault(column, "-"))
                  .toArray(String[]::new));
          comparison.versus(done).ifPresent(versus -> below.append(versus.sentence()).append('\n'));
          methods.add("energy: " + done.method());
        }
        case ArmResult.Failed(var failed, String message, var _) ->
            below.append(failed.name()).append(" failed: ").append(message).append('\n');
      }
    }
    methods.forEach(method -> below.append(method).append('\n'));
    return table + below.toString();
  }

  private static List<ArmResult.Finished> finished(Comparison comparison) {
    return comparison.arms().stream()
        .filter(ArmResult.Finished.class::isInstance)
        .map(ArmResult.Finished.class::cast)
        .toList();
  }

  static Map<String, Object> json(Comparison comparison) {
    List<Object> arms = new ArrayList<>();
    for (ArmResult arm : comparison.arms()) {
      Map<String, Object> object = new LinkedHashMap<>();
      object.put("name", arm.arm().name());
      object.put("overrides", arm.arm().overrides());
      switch (arm) {
        case ArmResult.Finished done -> finished(object, done, comparison);
        case ArmResult.Failed(var _, String message, var kind) -> {
          object.put("failed", message);
          object.put("exit_code", kind.exitCode());
        }
      }
      arms.add(object);
    }
    Map<String, Object> root = new LinkedHashMap<>();
    root.put("name", comparison.name());
    root.put("arms", arms);
    return root;
  }

  private static void finished(
      Map<String, Object> object, ArmResult.Finished done, Comparison comparison) {
    object.put("where", done.where());
    object.put("energy_meter", done.method());
    done.idleWatts().ifPresent(watts -> object.put("idle_watts", watts));
    object.put("turns", done.turns().stream().map(CompareText::turn).toList());
    object.put("losses", done.losses());
    comparison
        .versus(done)
        .ifPresent(versus -> {
          Map<String, Object> against = new LinkedHashMap<>();
          spread(against, "speedup", versus.speedup());
          spread(against, "energy_saving", versus.energySaving());
          spread(against, "loss_difference", versus.lossDifference());
          against.put("sentence", versus.sentence());
          object.put("against_first", against);
        });
  }

  private static void spread(Map<String, Object> object, String name, Spread spread) {
    if (Double.isFinite(spread.mean())) {
      object.put(name, spread.mean());
    }
    if (Double.isFinite(spread.deviation())) {
      object.put(name + "_std", spread.deviation());
    }
  }

  private static Map<String, Object> turn(Turn turn) {
    Map<String, Object> object = new LinkedHashMap<>();
    object.put("steps", turn.steps());
    object.put("tokens", turn.tokens());
    object.put("seconds", turn.seconds());
    turn.joules().ifPresent(joules -> object.put("joules", joules));
    object.put("distinct_experts", turn.distinctExperts());
    object.put("experts_per_token", turn.expertsPerToken());
    object.put("ttt_updates", turn.updates());
    return object;
  }
}
