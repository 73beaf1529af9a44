package moe.conformance;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import moe.conformance.rule.Rule;
import moe.conformance.rule.RuleBook;
import moe.conformance.trial.NotClaimed;
import moe.conformance.trial.Session;
import moe.conformance.trial.Skipped;
import moe.conformance.trial.Subject;
import moe.conformance.trial.Violation;
import moe.conformance.trial.Workbench;
import moe.spi.Availability;
import moe.spi.device.Compute;
import moe.spi.device.DeviceInfo;

/// Runs rules against a backend, for programs.
public final class Conformance {
  private Conformance() {}

  /// Tries all rules on one device.
  ///
  /// @param watcher told of each rule as soon as it is done
  public static ConformanceReport run(
      Subject subject, DeviceInfo device, Consumer<RuleResult> watcher) {
    return run(subject, device, RuleBook.RULES, watcher);
  }

  /// Tries these rules on one device.
  ///
  /// @param watcher told of each rule as soon as it is done
  public static ConformanceReport run(
      Subject subject, DeviceInfo device, List<Rule> rules, Consumer<RuleResult> watcher) {
    return run(subject, device, Compute.AUTO, rules, watcher);
  }

  /// Tries these rules on one device that multiplies in a format.
  ///
  /// @param compute `AUTO` or one that the device computes
  /// @param watcher told of each rule as soon as it is done
  public static ConformanceReport run(
      Subject subject,
      DeviceInfo device,
      Compute compute,
      List<Rule> rules,
      Consumer<RuleResult> watcher) {
    List<RuleResult> results = new ArrayList<>();
    try (Session session = new Session(subject, device, compute)) {
      for (Rule rule : rules) {
        RuleResult result = check(session, rule);
        results.add(result);
        watcher.accept(result);
      }
      return new ConformanceReport(
          device, session.precision(), results, session.ledger().standings());
    }
  }

  /// Whether there is a device to try.
  public static Availability probe(Subject subject) {
    return subject.factory().probe();
  }

  /// Tries one rule.
  public static RuleResult check(Session session, Rule rule) {
    long start = System.nanoTime();
    Outcome outcome = outcome(session, rule);
    return new RuleResult(rule, outcome, TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - start));
  }

  private static Outcome outcome(Session session, Rule rule) {
    try (Workbench at = new Workbench(session, rule.id())) {
      rule.check().on(at);
      return new Outcome.Held();
    } catch (NotClaimed e) {
      return new Outcome.NotClaimed(String.valueOf(e.getMessage()));
    } catch (Skipped e) {
      return new Outcome.Skipped(String.valueOf(e.getMessage()));
    } catch (Violation e) {
      return new Outcome.Broken(String.valueOf(e.getMessage()), e);
    } catch (RuntimeException | LinkageError | AssertionError e) {
      return new Outcome.Broken("threw " + e, e);
    }
  }
}
