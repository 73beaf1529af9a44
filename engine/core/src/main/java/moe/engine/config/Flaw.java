package moe.engine.config;

import java.io.Serial;

/// A place where the text stops being what it should be; caught by the scanner, which goes on after
/// it.
final class Flaw extends Exception {
  @Serial private static final long serialVersionUID = 1L;

  private final String text;

  Flaw(String text) {
    super(text, null, false, false);
    this.text = text;
  }

  String text() {
    return text;
  }
}
