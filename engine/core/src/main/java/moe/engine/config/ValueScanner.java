package moe.engine.config;

import java.math.BigDecimal;
import java.math.BigInteger;
import java.util.Locale;
import java.util.regex.Pattern;

/// Reads one value and writes it in the plainest TOML there is: one line, no comments, no exponents
/// (TOML4J reads `3e-4` as 3.0000000000000003E-4), no escapes.
final class ValueScanner {
  /// Stands for a single quote in a text in single quotes; a control character, so no text has it.
  static final char SINGLE_QUOTE = '\1';

  private static final int MAX_DEPTH = 64;
  private static final int MAX_LENGTH = 10_000;

  /// A line that begins with a key or opens a section, so that no array goes on there.
  static final Pattern START =
      Pattern.compile("[A-Za-z0-9_-]{1,100}[ \\t]*=.*|\\[[a-z][A-Za-z0-9_-]{0,100}\\].{0,90}");

  private static final Pattern WHOLE = Pattern.compile("[+-]?(0|[1-9](_?[0-9])*)");
  private static final Pattern NUMBER =
      Pattern.compile(WHOLE + "(\\.[0-9](_?[0-9])*)?([eE][+-]?[0-9](_?[0-9])*)?");

  private final Cursor cursor;
  private final StringBuilder plain = new StringBuilder();

  /// Reads from where the cursor stands, which is moved behind the value.
  ValueScanner(Cursor cursor) {
    this.cursor = cursor;
  }

  /// The value.
  String scan() throws Flaw {
    scanValue(0);
    return plain.toString();
  }

  private void scanValue(int depth) throws Flaw {
    switch (cursor.peek()) {
      case Cursor.END, '\n', '#' -> throw new Flaw("the value is missing; write key = value");
      case '"' -> scanBasic();
      case '\'' -> scanLiteral();
      case '[' -> scanArray(depth + 1);
      case '{' -> throw new Flaw("tables in braces are not used in pipeline files");
      default -> scanWord();
    }
    if (plain.length() > MAX_LENGTH) {
      throw new Flaw("the value is longer than %d characters".formatted(MAX_LENGTH));
    }
  }

  private void scanArray(int depth) throws Flaw {
    if (depth > MAX_DEPTH) {
      throw new Flaw("arrays are nested deeper than %d".formatted(MAX_DEPTH));
    }
    cursor.next();
    plain.append('[');
    String kind = "";
    while (true) {
      skipLines();
      if (cursor.passes(']')) {
        plain.append(']');
        return;
      }
      if (cursor.atEnd() || cursor.matchesLine(START)) {
        throw new Flaw("the array is not closed; end it with ]");
      }
      if (!kind.isEmpty()) {
        plain.append(", ");
      }
      int start = plain.length();
      scanValue(depth);
      String next = kind(plain.substring(start));
      if (!kind.isEmpty() && !kind.equals(next)) {
        throw new Flaw("an array holds values of one type, not %s and %s".formatted(kind, next));
      }
      kind = next;
      skipLines();
      if (!cursor.passes(',') && cursor.peek() != ']') {
        throw new Flaw("the array is not closed; separate its values by commas and end it with ]");
      }
    }
  }

  private static String kind(String plain) {
    return switch (plain.charAt(0)) {
      case '\'' -> "texts";
      case '[' -> "arrays";
      case 't', 'f' -> "flags";
      default -> plain.contains(".") ? "numbers" : "whole numbers";
    };
  }

  /// Inside an array, line ends and comments mean nothing.
  private void skipLines() {
    cursor.skipComment();
    while (cursor.passes('\n')) {
      cursor.skipComment();
    }
  }

  private void scanBasic() throws Flaw {
    if (cursor.startsWith("\"\"\"")) {
      throw new Flaw("texts over several lines are not used in pipeline files; write \"…\"");
    }
    cursor.next();
    StringBuilder text = new StringBuilder();
    while (cursor.peek() != '"') {
      if (cursor.atEnd() || cursor.peek() == '\n') {
        throw new Flaw("the text is not closed; end it with \" on the same line");
      }
      char c = cursor.next();
      if (c == '\\') {
        text.appendCodePoint(escaped());
      } else {
        text.append(c);
      }
    }
    cursor.next();
    append(text);
  }

  private int escaped() throws Flaw {
    char c = cursor.next();
    return switch (c) {
      case '"', '\\' -> c;
      case 't' -> '\t';
      case 'u' -> codePoint(4);
      case 'U' -> codePoint(8);
      default ->
          throw new Flaw(
              "\"\\%s\" has no meaning; write \\\\ for a backslash, or put the text into single quotes"
                  .formatted(c == '\n' ? "" : Shown.text(String.valueOf(c))));
    };
  }

  private int codePoint(int digits) throws Flaw {
    int point = 0;
    for (int i = 0; i < digits; i++) {
      int digit = Character.digit(cursor.peek(), 16);
      if (digit < 0 || cursor.peek() > 'f' || point > Character.MAX_CODE_POINT) {
        throw new Flaw("\\u needs 4 and \\U needs 8 hexadecimal digits of a character");
      }
      cursor.next();
      point = 16 * point + digit;
    }
    if (!Character.isValidCodePoint(point)
        || Character.getType(point) == Character.SURROGATE
        || Character.isISOControl(point)) {
      throw new Flaw("U+%04X is not a character that a text may have".formatted(point));
    }
    return point;
  }

  private void scanLiteral() throws Flaw {
    if (cursor.startsWith("'''")) {
      throw new Flaw("texts over several lines are not used in pipeline files; write '…'");
    }
    cursor.next();
    String text = cursor.until("'");
    if (!cursor.passes('\'')) {
      throw new Flaw("the text is not closed; end it with ' on the same line");
    }
    append(text);
  }

  private void append(CharSequence text) {
    plain.append(quoted(text.toString()));
  }

  /// The text in quotes as TOML4J reads it right; in double quotes it confuses its own escapes.
  private static String quoted(String text) {
    return '\'' + text.replace('\'', SINGLE_QUOTE) + '\'';
  }

  private void scanWord() throws Flaw {
    String word = cursor.until(" \t,]#");
    String shown = Shown.text(word);
    String digits = word.replace("_", "");
    if (word.equals("true") || word.equals("false")) {
      plain.append(word);
    } else if (word.length() > 100 || !NUMBER.matcher(word).matches()) {
      throw new Flaw(reason(word, shown));
    } else if (WHOLE.matcher(word).matches()) {
      BigInteger whole = new BigInteger(digits);
      if (whole.bitLength() > 63) {
        throw new Flaw("%s is too large; whole numbers have 64 bits".formatted(shown));
      }
      plain.append(whole);
    } else {
      double number = Double.parseDouble(digits);
      if (Double.isInfinite(number)) {
        throw new Flaw("%s is too large; numbers have 64 bits".formatted(shown));
      }
      plain.append(plain(number));
    }
  }

  /// A number without exponent.
  static String plain(double number) {
    String plain = BigDecimal.valueOf(number).stripTrailingZeros().toPlainString();
    return plain.contains(".") ? plain : plain + ".0";
  }

  private static String reason(String word, String shown) {
    if (word.matches("[+-]?0[0-9_]+.*") && !word.matches("0[0-9]{3}-.*")) {
      return "%s: a number does not start with 0".formatted(shown);
    }
    if (word.matches("[0-9]{4}-[0-9].*")) {
      return "%s: dates are not used in pipeline files".formatted(shown);
    }
    if (word.equalsIgnoreCase("true") || word.equalsIgnoreCase("false")) {
      return "%s is not a value; write %s".formatted(shown, word.toLowerCase(Locale.ROOT));
    }
    if (word.matches("[+-]?(inf|nan)")) {
      return "%s is not a number".formatted(shown);
    }
    if (word.matches("[+-]?[.0-9].*")) {
      return "%s is not a number; write for example 12, 0.5 or 3e-4, and texts in quotes"
          .formatted(shown);
    }
    return "%s is not a value; a text needs quotes: \"%s\"".formatted(shown, shown);
  }
}
