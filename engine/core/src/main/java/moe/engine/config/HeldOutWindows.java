package moe.engine.config;

/// Which part of the held-out text a look reads when it does not read all of it.
public enum HeldOutWindows {
  /// Windows with equal gaps, from the beginning to the end.
  SPREAD,
  /// Windows next to each other, from the beginning on.
  FIRST
}
