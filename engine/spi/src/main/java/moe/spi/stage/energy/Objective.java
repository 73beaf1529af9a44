package moe.spi.stage.energy;

/// What the fast weights learn from.
public enum Objective {
  /// Nothing: they stay zero.
  NONE,
  /// Energy and evenness of the routing itself.
  LOCAL,
  /// The loss of the text just seen.
  LM
}
