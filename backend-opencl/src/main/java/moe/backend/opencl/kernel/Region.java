package moe.backend.opencl.kernel;

/// A place in a buffer of the device.
///
/// @param buffer the driver's handle
/// @param at the first element, counted in elements
public record Region(long buffer, long at) {
  /// The place so many elements further on.
  public Region plus(long elements) {
    return new Region(buffer, at + elements);
  }
}
