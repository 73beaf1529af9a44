package moe.engine.config;

import java.util.regex.Pattern;

/// A position in a text, with its line.
final class Cursor {
  /// What `peek` gives at the end of the text.
  static final char END = '\0';

  private final String text;
  private int at;
  private int line = 1;

  Cursor(String text) {
    this.text = text;
  }

  boolean atEnd() {
    return at >= text.length();
  }

  /// The line of this position, from 1.
  int line() {
    return line;
  }

  char peek() {
    return atEnd() ? END : text.charAt(at);
  }

  char next() {
    char c = peek();
    at++;
    if (c == '\n') {
      line++;
    }
    return c;
  }

  boolean startsWith(String prefix) {
    return text.startsWith(prefix, at);
  }

  /// Passes `c` if it is next.
  boolean passes(char c) {
    if (!atEnd() && peek() == c) {
      next();
      return true;
    }
    return false;
  }

  void skipBlanks() {
    while (peek() == ' ' || peek() == '\t') {
      next();
    }
  }

  /// Moves behind the end of this line.
  void skipLine() {
    while (!atEnd() && next() != '\n') {
      // each step passes one character
    }
  }

  /// Passes blanks and a comment up to the end of the line, which stays.
  void skipComment() {
    skipBlanks();
    if (peek() == '#') {
      while (!atEnd() && peek() != '\n') {
        next();
      }
    }
  }

  /// Passes characters up to one of `stops` or the end of the line.
  String until(String stops) {
    int start = at;
    while (!atEnd() && peek() != '\n' && stops.indexOf(peek()) < 0) {
      next();
    }
    return text.substring(start, at);
  }

  /// Whether the first 200 characters of the rest of this line match.
  boolean matchesLine(Pattern pattern) {
    int end = text.indexOf('\n', at);
    int limit = Math.min(end < 0 ? text.length() : end, at + 200);
    return pattern.matcher(text).region(Math.min(at, limit), limit).matches();
  }

  /// Remembers this position.
  Mark mark() {
    return new Mark(at, line);
  }

  void reset(Mark mark) {
    at = mark.at;
    line = mark.line;
  }

  /// A position to come back to.
  record Mark(int at, int line) {}
}
