package moe.conformance.rule;

import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;

/// All rules.
public final class RuleBook {
  /// Groups in the order of the book, each with what it is about.
  public static final List<Group> GROUPS =
      List.of(
          new Group("BACK", "Backends and their factories"),
          new Group("MEM", "Memory, streams, and who may write where"),
          new Group("DENSE", "Dense operations"),
          new Group("ROUT", "Routers"),
          new Group("DISP", "Dispatchers"),
          new Group("EXPE", "Expert executors"),
          new Group("COMB", "Combiners"),
          new Group("FUSE", "Fusions"),
          new Group("GRAD", "Gradients"),
          new Group("DET", "Determinism"),
          new Group("ERR", "Refusals and errors"));

  /// The rules by group and number.
  public static final List<Rule> RULES = collect();

  private RuleBook() {}

  /// Rules about one thing.
  ///
  /// @param name the letters before the number
  /// @param title what its rules are about
  public record Group(String name, String title) {}

  private static List<Rule> collect() {
    List<Rule> rules =
        Stream.of(
                BackendRules.all(),
                MemoryRules.all(),
                AccountRules.all(),
                StreamRules.all(),
                LaterRules.all(),
                DenseRules.all(),
                SequenceRules.all(),
                AttentionRules.all(),
                LossRules.all(),
                GradientRules.all(),
                RouterRules.all(),
                RoutingRules.all(),
                EnergyRules.all(),
                FastWeightRules.all(),
                DispatchRules.all(),
                ExpertRules.all(),
                CombineRules.all(),
                FusionRules.all(),
                SpecialRules.all(),
                WholeRules.all(),
                ErrorRules.all())
            .flatMap(List::stream)
            .sorted(
                Comparator.<Rule>comparingInt(rule -> group(rule))
                    .thenComparingInt(
                        rule -> Integer.parseInt(rule.id().substring(rule.id().indexOf('-') + 1))))
            .toList();
    Set<String> ids = new HashSet<>();
    for (Rule rule : rules) {
      if (!ids.add(rule.id())) {
        throw new IllegalStateException("two rules are called " + rule.id());
      }
    }
    return rules;
  }

  private static int group(Rule rule) {
    for (int i = 0; i < GROUPS.size(); i++) {
      if (GROUPS.get(i).name().equals(rule.group())) {
        return i;
      }
    }
    throw new IllegalStateException("no group for rule " + rule.id());
  }
}
