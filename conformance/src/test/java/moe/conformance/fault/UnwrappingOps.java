package moe.conformance.fault;

import moe.spi.device.Activation;
import moe.spi.device.DenseOps;
import moe.spi.device.DeviceStream;
import moe.spi.device.LinearWeights;
import moe.spi.device.NormStatistics;
import moe.spi.device.NormWeights;
import moe.spi.device.Tensor;
import org.jspecify.annotations.Nullable;

/// The operations that rules on memory need, for wrapped streams and tensors.
final class UnwrappingOps extends ForwardingDenseOps {
  UnwrappingOps(DenseOps real) {
    super(real);
  }

  private static DeviceStream of(DeviceStream stream) {
    return stream instanceof ForwardingStream forwarding ? forwarding.real : stream;
  }

  private static Tensor of(Tensor tensor) {
    return ForwardingTensor.behind(tensor);
  }

  private static @Nullable Tensor orNull(@Nullable Tensor tensor) {
    return tensor == null ? null : of(tensor);
  }

  @Override
  public void linear(
      Tensor x, LinearWeights weights, Activation activation, Tensor y, DeviceStream stream) {
    LinearWeights real = new LinearWeights(of(weights.weight()), orNull(weights.bias()));
    this.real.linear(of(x), real, activation, of(y), of(stream));
  }

  @Override
  public void layerNorm(
      Tensor x,
      NormWeights weights,
      float epsilon,
      Tensor y,
      NormStatistics statistics,
      DeviceStream stream) {
    real.layerNorm(
        of(x),
        new NormWeights(of(weights.gain()), of(weights.bias())),
        epsilon,
        of(y),
        new NormStatistics(of(statistics.mean()), of(statistics.inverseDeviation())),
        of(stream));
  }

  @Override
  public void add(Tensor a, Tensor b, Tensor out, DeviceStream stream) {
    real.add(of(a), of(b), of(out), of(stream));
  }

  @Override
  public void multiply(Tensor a, Tensor b, Tensor out, DeviceStream stream) {
    real.multiply(of(a), of(b), of(out), of(stream));
  }
}
