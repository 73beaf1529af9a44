package moe.engine.config;

/// How the MoE blocks of a model are computed, `[moe] path`.
public enum BlockPath {
  /// The first of fused, staged and baseline that the backend supports.
  AUTO,
  /// One fusion of dispatcher, executor and combiner.
  FUSED,
  /// Dispatcher, executor and combiner one after the other.
  STAGED,
  /// A plain loop over the experts, one operation at a time: what the others are compared with.
  BASELINE
}
