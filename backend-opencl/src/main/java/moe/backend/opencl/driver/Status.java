package moe.backend.opencl.driver;

/// The status codes of OpenCL that a user may meet.
public final class Status {
  public static final int SUCCESS = 0;
  public static final int DEVICE_NOT_FOUND = -1;
  public static final int DEVICE_NOT_AVAILABLE = -2;
  public static final int COMPILER_NOT_AVAILABLE = -3;
  public static final int ALLOCATION_FAILURE = -4;
  public static final int OUT_OF_RESOURCES = -5;
  public static final int OUT_OF_HOST_MEMORY = -6;
  public static final int BUILD_FAILURE = -11;
  public static final int INVALID_VALUE = -30;
  public static final int INVALID_DEVICE = -33;
  public static final int INVALID_COMMAND_QUEUE = -36;
  public static final int INVALID_BUFFER_SIZE = -61;
  public static final int PLATFORM_NOT_FOUND = -1001;

  private Status() {}

  /// The code with its name in C, where it is one of these.
  public static String name(int status) {
    return switch (status) {
      case DEVICE_NOT_FOUND -> "CL_DEVICE_NOT_FOUND";
      case DEVICE_NOT_AVAILABLE -> "CL_DEVICE_NOT_AVAILABLE";
      case COMPILER_NOT_AVAILABLE -> "CL_COMPILER_NOT_AVAILABLE";
      case ALLOCATION_FAILURE -> "CL_MEM_OBJECT_ALLOCATION_FAILURE";
      case OUT_OF_RESOURCES -> "CL_OUT_OF_RESOURCES";
      case OUT_OF_HOST_MEMORY -> "CL_OUT_OF_HOST_MEMORY";
      case BUILD_FAILURE -> "CL_BUILD_PROGRAM_FAILURE";
      case INVALID_VALUE -> "CL_INVALID_VALUE";
      case INVALID_DEVICE -> "CL_INVALID_DEVICE";
      case INVALID_COMMAND_QUEUE -> "CL_INVALID_COMMAND_QUEUE";
      case INVALID_BUFFER_SIZE -> "CL_INVALID_BUFFER_SIZE";
      case PLATFORM_NOT_FOUND -> "CL_PLATFORM_NOT_FOUND_KHR";
      default -> "status " + status;
    };
  }
}
