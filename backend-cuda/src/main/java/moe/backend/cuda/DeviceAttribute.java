package moe.backend.cuda;

/// A number the driver knows of a device; codes as in `CUdevice_attribute` of `cuda.h`.
enum DeviceAttribute {
  /// Streaming multiprocessors.
  MULTIPROCESSORS(16),
  /// The major part of the compute capability.
  CAPABILITY_MAJOR(75),
  /// The minor part of the compute capability.
  CAPABILITY_MINOR(76);

  private final int code;

  DeviceAttribute(int code) {
    this.code = code;
  }

  int code() {
    return code;
  }
}
