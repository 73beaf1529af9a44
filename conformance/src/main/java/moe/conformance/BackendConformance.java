package moe.conformance;

import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import moe.conformance.rule.Rule;
import moe.conformance.rule.RuleBook;
import moe.conformance.trial.Session;
import moe.conformance.trial.Skipped;
import moe.conformance.trial.Subject;
import moe.conformance.trial.Violation;
import moe.spi.BackendFactory;
import moe.spi.device.Compute;
import moe.spi.stage.StageFactory;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/// The rules of the SPI as JUnit tests. A backend's author writes
///
/// ```
/// final class AcmeConformanceTest extends BackendConformance {
///   @Override protected BackendFactory factory() { return new AcmeBackendFactory(); }
/// }
/// ```
///
/// Where the backend is not available, all rules are skipped; naming it in the system property
/// `moe.conformance.require`, a list of names with commas, turns that into a failure.
public abstract class BackendConformance {
  /// The system property that lists backends which have to be available.
  public static final String REQUIRE = "moe.conformance.require";

  /// The backend to try.
  protected abstract BackendFactory factory();

  /// The format in which it is to multiply; by default the one that it takes by itself. Errors are
  /// tolerated by `moe.conformance.trial.Tolerance`.
  protected Compute compute() {
    return Compute.AUTO;
  }

  /// The stages to try with it; by default those that `ServiceLoader` finds beside it.
  protected List<StageFactory<?>> stages() {
    return Subject.of(factory()).stages();
  }

  /// One test for each rule.
  @TestFactory
  Stream<DynamicTest> rules() {
    Subject subject = new Subject(factory(), stages());
    boolean required = required(subject.factory().name());
    Session session;
    try {
      session = Session.open(subject, compute());
    } catch (Skipped e) {
      return RuleBook.RULES.stream()
          .map(rule -> DynamicTest.dynamicTest(rule.id(), () -> skip(e.getMessage(), required)));
    }
    return RuleBook.RULES.stream()
        .map(rule -> DynamicTest.dynamicTest(name(rule), () -> check(session, rule, required)))
        .onClose(session::close);
  }

  private static String name(Rule rule) {
    return "%s %s %s".formatted(rule.id(), rule.level(), rule.intent());
  }

  private static void check(Session session, Rule rule, boolean required) {
    switch (Conformance.check(session, rule).outcome()) {
      case Outcome.Held _, Outcome.NotClaimed _ -> {}
      case Outcome.Skipped(String reason) -> skip(reason, required);
      case Outcome.Broken(String message, Throwable cause) -> {
        String text =
            "%s (%s): %s%n  %s%n  If this fails, check %s"
                .formatted(rule.id(), rule.level(), message, rule.intent(), rule.hint());
        switch (rule.level()) {
          case MUST -> throw new Violation(text, cause);
          case SHOULD -> Assumptions.abort(text); // named, and no failure
        }
      }
    }
  }

  private static void skip(@Nullable String reason, boolean required) {
    if (required) {
      throw new Violation("%s asks for this backend: %s".formatted(REQUIRE, reason));
    }
    Assumptions.abort(String.valueOf(reason));
  }

  private static boolean required(String backend) {
    return Arrays.stream(System.getProperty(REQUIRE, "").split(","))
        .map(String::strip)
        .anyMatch(backend::equals);
  }
}
