package moe.conformance.trial;

import java.io.Serial;
import org.jspecify.annotations.Nullable;

/// A rule does not hold; the message says where and how.
public final class Violation extends AssertionError {
  @Serial private static final long serialVersionUID = 1L;

  public Violation(String message) {
    this(message, null);
  }

  public Violation(String message, @Nullable Throwable cause) {
    super(message, cause);
  }
}
