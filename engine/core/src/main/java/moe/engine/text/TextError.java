package moe.engine.text;

import moe.engine.files.OneLine;
import moe.spi.error.ErrorKind;
import moe.spi.error.MoeException;
import org.jspecify.annotations.Nullable;

/// Errors about texts, which came from elsewhere: one line each.
final class TextError {
  private TextError() {}

  /// @param place the file, perhaps with a line
  /// @param what is wrong
  /// @param remedy what to do next
  static MoeException of(String place, String what, String remedy) {
    return of(place, what, remedy, null);
  }

  static MoeException of(String place, String what, String remedy, @Nullable Throwable cause) {
    return new MoeException(
        ErrorKind.DATA, OneLine.of("%s: %s; %s".formatted(place, what, remedy)), cause);
  }
}
