package moe.conformance.fault;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import moe.conformance.Conformance;
import moe.conformance.Outcome;
import moe.conformance.rule.Rule;
import moe.conformance.rule.RuleBook;
import moe.conformance.trial.Session;
import moe.conformance.trial.Subject;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/// Each rule has a broken backend that it must find, and the rules beside it stay quiet.
final class BrokenBackendsTest {
  static List<Broken> faults() {
    return Faults.all();
  }

  @ParameterizedTest
  @MethodSource("faults")
  void isFoundByItsRuleAndByNoOtherOfTheGroup(Broken broken) {
    String group = broken.rule().substring(0, broken.rule().indexOf('-'));
    List<Rule> rules = RuleBook.RULES.stream().filter(rule -> rule.group().equals(group)).toList();
    Set<String> expected = new TreeSet<>(broken.others());
    expected.add(broken.rule());
    assertThat(broken(broken.subject(), rules)).isEqualTo(expected);
  }

  @Test
  void aHealthyBackendKeepsAllRules() {
    assertThat(broken(Broken.healthy(), RuleBook.RULES)).isEmpty();
  }

  @Test
  void eachRuleHasABrokenBackend() {
    Set<String> covered = Faults.all().stream().map(Broken::rule).collect(Collectors.toSet());
    assertThat(RuleBook.RULES).extracting(Rule::id).isSubsetOf(covered);
  }

  private static Set<String> broken(Subject subject, List<Rule> rules) {
    Set<String> broken = new TreeSet<>();
    try (Session session = Session.open(subject)) {
      for (Rule rule : rules) {
        if (Conformance.check(session, rule).outcome() instanceof Outcome.Broken) {
          broken.add(rule.id());
        }
      }
    }
    return broken;
  }
}
