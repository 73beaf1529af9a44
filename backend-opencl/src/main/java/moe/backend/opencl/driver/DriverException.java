package moe.backend.opencl.driver;

import java.io.Serial;

/// An OpenCL function that returned an error.
public final class DriverException extends RuntimeException {
  @Serial private static final long serialVersionUID = 1L;

  private final String function;
  private final int status;
  private final String detail;

  public DriverException(String function, int status) {
    this(function, status, "");
  }

  /// @param function the function's name in C
  /// @param status what it returned
  /// @param detail what the driver says besides, for example a build log; may be empty
  public DriverException(String function, int status, String detail) {
    super(
        "%s returned %s%s"
            .formatted(function, Status.name(status), detail.isEmpty() ? "" : ":\n" + detail));
    this.function = function;
    this.status = status;
    this.detail = detail;
  }

  /// The function's name in C.
  public String function() {
    return function;
  }

  /// What the function returned.
  public int status() {
    return status;
  }

  /// What the driver says besides; may be empty.
  public String detail() {
    return detail;
  }
}
