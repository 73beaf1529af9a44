package moe.backend.opencl.driver;

/// A device of some platform, and what its kernels must know of it.
///
/// @param handle the driver's
/// @param kind what it is
/// @param name with platform and versions, for people
/// @param memoryBytes all memory of the device
/// @param maxAllocationBytes the largest buffer
/// @param localBytes memory of a work-group
/// @param maxGroup work-items of a work-group
/// @param computeUnits processors
/// @param vectorFloats floats of one register; 1 where the compiler deals with that
/// @param shared whether host and device can see the same memory at once
public record FoundDevice(
    long handle,
    Kind kind,
    String name,
    long memoryBytes,
    long maxAllocationBytes,
    long localBytes,
    int maxGroup,
    int computeUnits,
    int vectorFloats,
    boolean shared) {
  /// The kinds, the preferred first.
  public enum Kind {
    GPU,
    /// Not a GPU and not a processor: an FPGA, say.
    OTHER,
    CPU
  }
}
