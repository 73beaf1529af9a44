package moe.conformance.trial;

/// A direction of computation.
public enum Pass {
  /// From inputs to results.
  FORWARD,
  /// From gradients of results to gradients of inputs and weights.
  BACKWARD
}
