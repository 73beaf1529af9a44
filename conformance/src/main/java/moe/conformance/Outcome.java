package moe.conformance;

/// What became of a rule.
public sealed interface Outcome {
  /// It holds.
  record Held() implements Outcome {}

  /// It is about a power that the backend does not claim, and refuses as it should.
  record NotClaimed(String reason) implements Outcome {}

  /// It does not hold.
  ///
  /// @param cause what was thrown
  record Broken(String message, Throwable cause) implements Outcome {}

  /// It could not be tried.
  record Skipped(String reason) implements Outcome {}
}
