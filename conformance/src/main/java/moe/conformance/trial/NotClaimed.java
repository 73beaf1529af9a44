package moe.conformance.trial;

import java.io.Serial;

/// A rule is about a power that the backend does not claim, and refuses as it should.
public final class NotClaimed extends RuntimeException {
  @Serial private static final long serialVersionUID = 1L;

  public NotClaimed(String reason) {
    super(reason);
  }
}
