package moe.backend.cuda;

import moe.spi.device.Activation;

/// A kernel by name.
///
/// @param image the file it is in, without ending: `linear_forward`
/// @param name as in its source: `moe_linear_f32_64`
public record Kernel(String image, String name) {
  /// The number of an activation in `numeric.cuh`.
  static int code(Activation activation) {
    return switch (activation) {
      case NONE -> 0;
      case GELU -> 1;
      case SILU -> 2;
      case RELU -> 3;
    };
  }
}
