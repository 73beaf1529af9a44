package moe.engine.config;

/// What becomes of a step whose loss or gradient is NaN or infinite.
public enum NonFinitePolicy {
  /// The run ends, says where the first such number came from, and keeps the weights before.
  ERROR,
  /// The step updates nothing, the run goes on.
  SKIP,
  /// The update is made, as if nothing were wrong.
  PROPAGATE
}
