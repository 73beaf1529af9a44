package moe.cli;

import java.io.PrintWriter;
import java.util.Locale;
import java.util.function.Consumer;
import moe.conformance.Outcome;
import moe.conformance.RuleResult;

/// Shows on stderr how far the conformance kit has come: a line for each group of rules, and one
/// for each rule that does not hold as soon as that is known.
final class KitProgress implements Consumer<RuleResult> {
  private final PrintWriter err;
  private final String backend;
  private String group = "";
  private int rules;
  private long millis;

  KitProgress(PrintWriter err, String backend) {
    this.err = err;
    this.backend = backend;
  }

  @Override
  public void accept(RuleResult result) {
    if (!result.rule().group().equals(group)) {
      finish();
      group = result.rule().group();
    }
    rules++;
    millis += result.millis();
    if (result.outcome() instanceof Outcome.Broken(String message, var _)) {
      err.println("%s: %s does not hold: %s".formatted(backend, result.rule().id(), message));
      err.flush();
    }
  }

  /// Ends the last group.
  void finish() {
    if (rules > 0) {
      err.println(
          String.format(
              Locale.ROOT,
              "%s: %s, %d rules tried in %.1f s",
              backend,
              group,
              rules,
              millis / 1e3));
      err.flush();
    }
    rules = 0;
    millis = 0;
  }
}
