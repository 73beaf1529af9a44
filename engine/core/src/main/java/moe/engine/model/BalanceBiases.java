package moe.engine.model;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import moe.spi.device.DType;
import moe.spi.device.DeviceStream;
import moe.spi.device.Tensor;
import moe.spi.stage.Initialisation;
import moe.spi.stage.ParameterSpec;

/// The balance biases of a model's routers: kept with its weights, but not trained by gradients.
final class BalanceBiases {
  private BalanceBiases() {}

  /// One for each layer whose router has one, named as in a checkpoint.
  static List<ModelParameter> of(List<Layer> layers) {
    List<ModelParameter> biases = new ArrayList<>();
    for (int index = 0; index < layers.size(); index++) {
      if (layers.get(index).feedForward() instanceof MoeFeedForward moe) {
        String name = Gpt2Parameters.layer(index) + ".moe.router.balance";
        moe.stages().router().balanceBias().map(bias -> named(name, bias)).ifPresent(biases::add);
      }
    }
    return biases;
  }

  private static ModelParameter named(String name, Tensor bias) {
    return new ModelParameter(
        new ParameterSpec(name, DType.F32, bias.shape(), Initialisation.ZEROS, false), bias, null);
  }

  /// Takes those that the source has; the others stay zero.
  static void load(List<ModelParameter> biases, WeightSource source, DeviceStream stream) {
    for (ModelParameter bias : biases) {
      if (source.has(bias.spec())) {
        try (Arena arena = Arena.ofShared()) {
          MemorySegment values = arena.allocate(bias.value().byteSize(), 64);
          source.fill(bias.spec(), values);
          stream.upload(values, bias.value());
          stream.synchronize();
        }
      }
    }
  }
}
