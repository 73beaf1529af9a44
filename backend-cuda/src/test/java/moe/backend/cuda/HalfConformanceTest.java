package moe.backend.cuda;

import static org.junit.jupiter.api.Assumptions.abort;

import java.util.Set;
import java.util.stream.Stream;
import moe.conformance.Conformance;
import moe.conformance.Outcome;
import moe.conformance.rule.Rule;
import moe.conformance.rule.RuleBook;
import moe.conformance.trial.Session;
import moe.conformance.trial.Skipped;
import moe.conformance.trial.Subject;
import moe.spi.device.Compute;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/// Holds the CUDA backend in bf16 to the rules of the SPI: to all on a GPU, in emulation to those
/// on what multiplies, but for whole blocks, which `PrecisionTest` judges.
final class HalfConformanceTest {
  private static final Set<String> MULTIPLYING = Set.of("DENSE", "EXPE", "GRAD");

  private static final Set<String> BLOCKS = Set.of("GRAD-12", "GRAD-13");

  @TestFactory
  Stream<DynamicTest> rules() {
    Session session;
    try {
      session = Session.open(Subject.of(new EmulatedWhereThereIsNone()), Compute.BF16);
    } catch (Skipped e) {
      return abort(String.valueOf(e.getMessage()));
    }
    return RuleBook.RULES.stream()
        .filter(rule -> !Twins.emulated() || multiplies(rule))
        .map(rule -> DynamicTest.dynamicTest(rule.id(), () -> check(session, rule)))
        .onClose(session::close);
  }

  private static boolean multiplies(Rule rule) {
    return MULTIPLYING.contains(rule.group()) && !BLOCKS.contains(rule.id());
  }

  private static void check(Session session, Rule rule) {
    switch (Conformance.check(session, rule).outcome()) {
      case Outcome.Held _, Outcome.NotClaimed _ -> {}
      case Outcome.Skipped(String reason) -> abort(reason);
      case Outcome.Broken(String message, Throwable cause) ->
          throw new AssertionError("%s: %s".formatted(rule.id(), message), cause);
    }
  }
}
