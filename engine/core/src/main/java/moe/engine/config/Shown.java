package moe.engine.config;

/// Makes a user's text fit to be shown in one line.
final class Shown {
  private static final int MAX_LENGTH = 60;
  private static final int MAX_PATH = 4096;

  private Shown() {}

  /// The text with everything escaped that would break a line or a terminal, and cut if it is long.
  static String text(String text) {
    return text(text, MAX_LENGTH);
  }

  /// As `text`, and whole: a file that is named must be found.
  static String path(String path) {
    return text(path, MAX_PATH);
  }

  private static String text(String text, int most) {
    StringBuilder shown = new StringBuilder();
    int[] points = text.codePoints().limit(most + 1L).toArray();
    for (int i = 0; i < Math.min(points.length, most); i++) {
      if (visible(points[i])) {
        shown.appendCodePoint(points[i]);
      } else {
        shown.append("\\u%04X".formatted(points[i]));
      }
    }
    return points.length > most ? shown.append('…').toString() : shown.toString();
  }

  private static boolean visible(int point) {
    return switch (Character.getType(point)) {
      case Character.CONTROL,
          Character.FORMAT,
          Character.SURROGATE,
          Character.PRIVATE_USE,
          Character.UNASSIGNED,
          Character.LINE_SEPARATOR,
          Character.PARAGRAPH_SEPARATOR ->
          false;
      default -> true;
    };
  }
}
