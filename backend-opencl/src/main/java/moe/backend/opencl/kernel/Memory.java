package moe.backend.opencl.kernel;

/// Gives kernels the room they need besides the tensors of a call.
public interface Memory {
  /// Room for so many floats.
  Region floats(long elements);
}
