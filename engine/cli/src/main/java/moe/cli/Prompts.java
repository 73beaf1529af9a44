package moe.cli;

import java.io.BufferedReader;
import java.io.Console;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintWriter;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import moe.spi.error.ErrorKind;
import moe.spi.error.MoeException;
import org.jspecify.annotations.Nullable;

/// The prompts of a command: one from its option, or the lines of stdin as they come.
final class Prompts {
  private static final String STDIN = "-";

  private final @Nullable BufferedReader lines;
  private @Nullable String only;
  private int given;

  private Prompts(@Nullable String only, @Nullable BufferedReader lines) {
    this.only = only;
    this.lines = lines;
  }

  /// @param option null or `-` for stdin
  // JDK 25 answers null again where there is no terminal, unlike 22 to 24.
  @SuppressWarnings("SystemConsoleNull")
  static Prompts of(@Nullable String option, PrintWriter err) {
    if (option != null && !option.equals(STDIN)) {
      if (option.isEmpty()) {
        throw empty("--prompt is empty");
      }
      return new Prompts(option, null);
    }
    Console console = System.console();
    if (console != null && console.isTerminal()) {
      err.println("One prompt a line; Ctrl-D ends.");
    }
    return new Prompts(
        null,
        new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8.newDecoder())));
  }

  /// The next prompt; null behind the last. Empty lines are passed over.
  ///
  /// @throws MoeException kind `USAGE` if there was none at all, kind `DATA` if stdin is not UTF-8
  @Nullable String next() throws IOException {
    String prompt = lines == null ? only : line(lines);
    only = null;
    if (prompt == null && given == 0) {
      throw empty("stdin holds no prompt");
    }
    given++;
    return prompt;
  }

  private @Nullable String line(BufferedReader reader) throws IOException {
    try {
      String line = reader.readLine();
      while (line != null && line.isEmpty()) {
        line = reader.readLine();
      }
      return line;
    } catch (CharacterCodingException invalid) {
      throw new MoeException(
          ErrorKind.DATA,
          "stdin, behind prompt %d: not valid UTF-8; convert it".formatted(given),
          invalid);
    }
  }

  private static MoeException empty(String what) {
    return new MoeException(
        ErrorKind.USAGE, what + ": give a text to continue, by --prompt or one a line on stdin");
  }
}
