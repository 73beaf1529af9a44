package moe.engine.bench;

/// Hears how far a benchmark is.
public interface Progress {
  /// A new subject begins.
  void subject(String name);

  /// A round over all paths is done.
  void round(int index);
}
