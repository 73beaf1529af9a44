package moe.engine.model;

import moe.spi.device.DenseOps;
import moe.spi.device.DeviceStream;
import moe.spi.device.NormStatistics;
import moe.spi.device.NormWeights;
import moe.spi.device.Tensor;

/// A layer norm at work on batches of one size. Where its input is a sum, it takes the sum as well.
///
/// @param out F32 `[tokens, dModel]`
record NormPass(
    DenseOps dense, NormWeights weights, float epsilon, Tensor out, NormStatistics statistics) {
  /// Fills `out` from `x`.
  void forward(Tensor x, DeviceStream stream) {
    dense.layerNorm(x, weights, epsilon, out, statistics, stream);
  }

  /// Fills `sum` with `a + b`, and `out` from that.
  void forward(Tensor a, Tensor b, Tensor sum, DeviceStream stream) {
    dense.addLayerNorm(a, b, sum, weights, epsilon, out, statistics, stream);
  }
}
