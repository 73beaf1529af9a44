package moe.engine.files;

import java.util.regex.Pattern;

/// Text from elsewhere, fit to be shown in one line of a terminal: neither commands to it nor signs
/// that turn the direction of what follows.
public final class OneLine {
  // Cc holds ESC and, at U+009B, its twin of one character; Cf the signs that turn direction.
  private static final Pattern UNFIT = Pattern.compile("[\\p{Cc}\\p{Cf}\\p{Zl}\\p{Zp}]");

  private OneLine() {}

  /// The text with a question mark for each character that is not fit.
  public static String of(String text) {
    return UNFIT.matcher(text).replaceAll("?");
  }

  /// As above, and cut behind so many characters.
  public static String of(String text, int most) {
    String line = of(text);
    return line.length() <= most ? line : line.substring(0, most) + "…";
  }
}
