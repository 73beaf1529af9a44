package moe.backend.opencl.driver;

/// What can be asked of platforms and devices: the numbers of `cl.h`.
public final class Parameter {
  public static final int PLATFORM_NAME = 0x0902;

  public static final int DEVICE_TYPE = 0x1000;
  public static final int MAX_COMPUTE_UNITS = 0x1002;
  public static final int MAX_WORK_GROUP_SIZE = 0x1004;
  public static final int MAX_ALLOCATION = 0x1010;
  public static final int GLOBAL_MEMORY = 0x101F;
  public static final int LOCAL_MEMORY = 0x1023;
  public static final int ENDIAN_LITTLE = 0x1026;
  public static final int AVAILABLE = 0x1027;
  public static final int COMPILER_AVAILABLE = 0x1028;
  public static final int DEVICE_NAME = 0x102B;
  public static final int DRIVER_VERSION = 0x102D;
  public static final int DEVICE_VERSION = 0x102F;
  public static final int NATIVE_VECTOR_FLOAT = 0x103A;
  public static final int SHARED_MEMORY = 0x1053;

  /// Values of `DEVICE_TYPE`, bits.
  public static final int TYPE_CPU = 2;

  public static final int TYPE_GPU = 4;

  /// A bit of `SHARED_MEMORY`: buffers that host and device see at once.
  public static final int FINE_GRAIN_BUFFER = 2;

  private Parameter() {}
}
