package moe.spi;

/// Whether something can be done, and if not, why not.
public sealed interface Support {
  /// It can be done.
  record Yes() implements Support {}

  /// It cannot be done.
  ///
  /// @param reason one line that names the value in the way and what is allowed
  record No(String reason) implements Support {}

  /// The one `Yes` needed.
  Support YES = new Yes();
}
