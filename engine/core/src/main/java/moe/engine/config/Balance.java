package moe.engine.config;

/// How the load of the experts is kept even in training.
public enum Balance {
  /// Not at all.
  NONE,
  /// A bias per expert, moved towards the mean load after each step.
  BIAS,
  /// The auxiliary loss of the Switch Transformer.
  SWITCH
}
