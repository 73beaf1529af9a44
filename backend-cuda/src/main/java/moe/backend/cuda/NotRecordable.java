package moe.backend.cuda;

/// Thrown by what cannot be part of a recording, to whoever records.
final class NotRecordable extends RuntimeException {
  private static final long serialVersionUID = 1;

  NotRecordable(String what) {
    super(what + " cannot be recorded");
  }
}
