package moe.conformance.rule;

/// How binding a rule is; RFC 2119.
public enum Level {
  /// A backend that breaks it does not conform.
  MUST,
  /// A backend may break it for a reason, and its users then lose something.
  SHOULD
}
