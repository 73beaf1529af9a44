package moe.spi.error;

import java.io.Serial;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/// An error with a cause outside the engine's own code: a file, an argument, a device, a plugin.
///
/// The message is what the user reads, so it says in one line what is wrong, where, what is allowed
/// and what to do next. Everything else (a broken invariant) is an `IllegalStateException` or
/// `IllegalArgumentException`.
public final class MoeException extends RuntimeException {
  @Serial private static final long serialVersionUID = 1L;

  private final ErrorKind kind;

  public MoeException(ErrorKind kind, String message) {
    this(kind, message, null);
  }

  public MoeException(ErrorKind kind, String message, @Nullable Throwable cause) {
    super(message, cause);
    this.kind = kind;
  }

  /// What the user reads; never null.
  @Override
  public String getMessage() {
    return Objects.requireNonNull(super.getMessage());
  }

  /// The kind of this error, which decides the exit code.
  public ErrorKind kind() {
    return kind;
  }
}
