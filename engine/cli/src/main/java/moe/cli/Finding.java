package moe.cli;

/// Something that was looked at on this machine.
///
/// @param subject one word, for example `java`
/// @param text what was found
/// @param remedy what to do, a sentence; empty if nothing
record Finding(Level level, String subject, String text, String remedy) {
  /// How good that is.
  enum Level {
    /// Nothing to do.
    OK,
    /// Good to know.
    NOTE,
    /// Slow, or likely to fail.
    WARNING
  }

  static Finding ok(String subject, String text) {
    return new Finding(Level.OK, subject, text, "");
  }

  static Finding note(String subject, String text, String remedy) {
    return new Finding(Level.NOTE, subject, text, remedy);
  }

  static Finding warning(String subject, String text, String remedy) {
    return new Finding(Level.WARNING, subject, text, remedy);
  }
}
