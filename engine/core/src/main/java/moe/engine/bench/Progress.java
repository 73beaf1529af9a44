package moe.engine.bench;

/// Hears how far a benchmark is.
public interface Progress {
  /// Hears nothing.
  Progress SILENT =
      new Progress() {
        @Override
        public void subject(String name) {}

        @Override
        public void round(int index) {}
      };

  /// A new subject begins.
  void subject(String name);

  /// A round over all paths is done.
  void round(int index);
}
