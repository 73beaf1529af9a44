package moe.engine.model;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import moe.spi.device.DType;
import moe.spi.device.DeviceStream;
import moe.spi.device.Tensor;
import moe.spi.stage.Initialisation;
import moe.spi.stage.ParameterSpec;
import moe.spi.stage.Router;

/// What a model's routers keep beside their trained tensors: no gradient moves it, and it is saved
/// with the weights.
final class RouterStates {
  private RouterStates() {}

  /// The balance bias of each layer whose router has one, named as in a checkpoint.
  static List<ModelParameter> balance(List<Layer> layers) {
    List<ModelParameter> biases = new ArrayList<>();
    for (int index = 0; index < layers.size(); index++) {
      int layer = index;
      router(layers.get(index))
          .flatMap(Router::balanceBias)
          .map(bias -> named(layer, "balance", bias))
          .ifPresent(biases::add);
    }
    return biases;
  }

  /// What routers have learnt while they were used.
  static List<ModelParameter> learnt(List<Layer> layers) {
    List<ModelParameter> states = new ArrayList<>();
    for (int index = 0; index < layers.size(); index++) {
      int layer = index;
      router(layers.get(index))
          .flatMap(Router::adaptation)
          .ifPresent(adaptation ->
              adaptation.state().forEach((name, tensor) -> states.add(named(layer, name, tensor))));
    }
    return states;
  }

  /// Both.
  static List<ModelParameter> all(List<Layer> layers) {
    return Stream.concat(balance(layers).stream(), learnt(layers).stream()).toList();
  }

  static Optional<Router> router(Layer layer) {
    return layer.feedForward() instanceof MoeFeedForward moe
        ? Optional.of(moe.stages().router())
        : Optional.empty();
  }

  private static ModelParameter named(int layer, String name, Tensor tensor) {
    String full = Gpt2Parameters.layer(layer) + ".moe.router." + name;
    return new ModelParameter(
        new ParameterSpec(full, DType.F32, tensor.shape(), Initialisation.ZEROS, false),
        tensor,
        null);
  }

  /// Takes those that the source has; the others stay zero.
  static void load(List<ModelParameter> states, WeightSource source, DeviceStream stream) {
    for (ModelParameter state : states) {
      if (source.has(state.spec())) {
        try (Arena arena = Arena.ofShared()) {
          MemorySegment values = arena.allocate(state.value().byteSize(), 64);
          source.fill(state.spec(), values);
          stream.upload(values, state.value());
          stream.synchronize();
        }
      }
    }
  }
}
