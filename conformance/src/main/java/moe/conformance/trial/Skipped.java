package moe.conformance.trial;

import java.io.Serial;

/// A rule could not be tried, so nothing is known.
public final class Skipped extends RuntimeException {
  @Serial private static final long serialVersionUID = 1L;

  public Skipped(String reason) {
    super(reason);
  }
}
