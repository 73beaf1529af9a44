package moe.conformance.trial;

import java.util.List;
import moe.spi.error.ErrorKind;
import moe.spi.error.MoeException;

/// What must be thrown.
public final class Expect {
  private Expect() {}

  /// Fails unless the action throws this type.
  public static <T extends RuntimeException> T thrown(Class<T> type, String what, Runnable action) {
    try {
      action.run();
    } catch (RuntimeException e) {
      if (type.isInstance(e)) {
        return type.cast(e);
      }
      throw new Violation("%s throws %s, not %s".formatted(what, e, type.getSimpleName()), e);
    }
    throw new Violation("%s works, but must throw %s".formatted(what, type.getSimpleName()));
  }

  /// Fails unless the action throws a `MoeException` of one of these kinds.
  public static void refused(String what, Runnable action, ErrorKind... kinds) {
    MoeException e = thrown(MoeException.class, what, action);
    if (!List.of(kinds).contains(e.kind())) {
      throw new Violation(
          "%s throws kind %s, must be one of %s".formatted(what, e.kind(), List.of(kinds)), e);
    }
    if (e.getMessage().isBlank() || e.getMessage().lines().count() != 1) {
      throw new Violation("%s: the message must be one line: %s".formatted(what, e.getMessage()));
    }
  }

  /// Fails unless this holds.
  @SuppressWarnings("AnnotateFormatMethod") // that annotation would be a dependency
  public static void that(boolean holds, String message, Object... arguments) {
    if (!holds) {
      throw new Violation(message.formatted(arguments));
    }
  }
}
