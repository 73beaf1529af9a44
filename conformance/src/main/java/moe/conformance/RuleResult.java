package moe.conformance;

import moe.conformance.rule.Rule;

/// A rule and what became of it.
///
/// @param millis how long it took
public record RuleResult(Rule rule, Outcome outcome, long millis) {}
