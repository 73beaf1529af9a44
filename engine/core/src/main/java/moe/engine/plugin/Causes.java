package moe.engine.plugin;

import moe.engine.files.OneLine;

/// Puts what a foreign class threw into one line.
final class Causes {
  private static final int MAX_LENGTH = 300;

  private Causes() {}

  /// The messages from the outer to the innermost cause, each once.
  static String reason(Throwable thrown) {
    StringBuilder reason = new StringBuilder();
    Throwable cause = thrown;
    for (int depth = 0; cause != null && depth < 4; depth++, cause = cause.getCause()) {
      String message = cause.getMessage();
      String part =
          message == null
              ? cause.getClass().getSimpleName()
              : cause.getClass().getSimpleName() + ": " + message;
      if (reason.indexOf(part) < 0) {
        reason.append(reason.isEmpty() ? "" : ", because of ").append(part);
      }
    }
    return OneLine.of(reason.toString().replaceAll("\\s+", " "), MAX_LENGTH);
  }
}
