package moe.engine.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import moe.spi.error.MoeException;

/// What the user is told about a bad file.
final class Refusals {
  /// The message of the error, which must be one line with a remedy and end the process with code
  /// 3.
  static String line(Runnable action) {
    MoeException refusal = catchThrowableOfType(MoeException.class, action::run);
    assertThat(refusal).as("a refusal").isNotNull();
    assertThat(refusal.kind().exitCode()).isEqualTo(3);
    // File and problem, then what to do.
    assertThat(refusal.getMessage()).doesNotContainPattern("\\p{Cntrl}").contains("; ");
    return refusal.getMessage();
  }

  private Refusals() {}
}
