package moe.conformance.rule;

import moe.conformance.trial.Workbench;

/// One numbered rule of the SPI.
///
/// @param id group and number, for example `DENSE-3`; numbers are never given twice
/// @param intent one sentence: what holds, and what for where that is not plain
/// @param hint completes "if this fails, check "
/// @param check fails with a `Violation` if the rule does not hold
public record Rule(String id, Level level, String intent, String hint, Check check) {
  public Rule {
    if (!id.matches("[A-Z]+-[1-9][0-9]*")) {
      throw new IllegalArgumentException("rule id " + id);
    }
    if (!intent.endsWith(".") || !hint.endsWith(".")) {
      throw new IllegalArgumentException(id + ": intent and hint are sentences");
    }
  }

  /// A rule that every backend is held to.
  static Rule must(String id, String intent, String hint, Check check) {
    return new Rule(id, Level.MUST, intent, hint, check);
  }

  /// A rule that a backend may break for a reason.
  static Rule should(String id, String intent, String hint, Check check) {
    return new Rule(id, Level.SHOULD, intent, hint, check);
  }

  /// The letters before the number.
  public String group() {
    return id.substring(0, id.indexOf('-'));
  }

  /// Tries a rule.
  public interface Check {
    /// Fails with a `Violation` if the rule does not hold.
    void on(Workbench at);
  }
}
