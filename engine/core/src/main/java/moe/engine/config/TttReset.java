package moe.engine.config;

/// When the router's fast weights return to zero.
public enum TttReset {
  NEVER,
  /// At the start of each document.
  DOCUMENT
}
