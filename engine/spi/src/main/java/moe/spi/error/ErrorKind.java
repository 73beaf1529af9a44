package moe.spi.error;

/// What went wrong, as far as the caller of the process must know: each kind has one exit code.
public enum ErrorKind {
  /// Wrong arguments, or a pipeline file that cannot be run as written.
  USAGE(2),
  /// A model, checkpoint or text file that is missing, malformed or contradicts the configuration.
  DATA(3),
  /// A device that is missing, refuses or failed.
  DEVICE(4),
  /// A combination that this device or stage does not offer.
  UNSUPPORTED(4),
  /// Not enough memory on the host or the device.
  MEMORY(4),
  /// A plugin that cannot be loaded or broke its contract.
  PLUGIN(5),
  /// Another process that this one works with failed.
  PEER(6);

  private final int exitCode;

  ErrorKind(int exitCode) {
    this.exitCode = exitCode;
  }

  /// The exit code of a process that ends with this kind of error.
  public int exitCode() {
    return exitCode;
  }
}
