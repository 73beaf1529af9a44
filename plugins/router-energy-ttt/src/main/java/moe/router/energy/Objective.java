package moe.router.energy;

/// What the fast weights learn from.
enum Objective {
  /// Nothing: they stay zero.
  NONE,
  /// Energy and evenness of the routing itself.
  LOCAL,
  /// The loss of the text just seen.
  LM
}
