package moe.conformance.trial;

/// How a backend stands with one feature.
public sealed interface Standing {
  /// It is offered and right.
  ///
  /// @param error the largest measured, relative to the sum of the absolute values of a result's
  ///   terms
  /// @param tolerance the largest allowed
  record Right(double error, double tolerance) implements Standing {}

  /// It is not offered, and says so.
  record Refused(String reason) implements Standing {}

  /// It is offered and wrong.
  ///
  /// @param rule the first rule that found that
  record Wrong(String rule) implements Standing {}
}
