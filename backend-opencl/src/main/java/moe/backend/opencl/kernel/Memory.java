package moe.backend.opencl.kernel;

import org.jspecify.annotations.Nullable;

/// Gives kernels the room they need besides the tensors of a call.
public interface Memory {
  /// Room for so many floats instead of `old`, which is given back.
  Region grow(@Nullable Region old, long floats);
}
