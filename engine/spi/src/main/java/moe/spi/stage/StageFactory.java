package moe.spi.stage;

import java.util.List;
import moe.spi.Factory;
import moe.spi.Support;
import moe.spi.device.Backend;

/// Makes one kind of stage.
///
/// @param <S> the stage made
public interface StageFactory<S extends Stage> extends Factory {
  /// Stands for every backend in `backend()`.
  String ANY_BACKEND = "*";

  /// The name of the backend this stage is written for, or `ANY_BACKEND` if it needs the SPI alone.
  /// Of two factories with one name, the one for the backend in use wins.
  default String backend() {
    return ANY_BACKEND;
  }

  /// Whether `create` would work: pure, cheap, and before any device memory is touched.
  Support supports(LayerSpec spec, Backend backend);

  /// The settings this stage reads from its section, beyond those of every stage of its kind.
  default List<OptionSpec> options() {
    return List.of();
  }

  /// The trained tensors this stage brings to the block.
  default List<ParameterSpec> parameters(LayerSpec spec) {
    return List.of();
  }

  /// The trained tensors of a stage whose settings have a say in them; those of `parameters(spec)`
  /// unless a factory says otherwise.
  default List<ParameterSpec> parameters(LayerSpec spec, Options options) {
    return parameters(spec);
  }

  /// Makes the stage with all the memory it will ever need; the caller closes it.
  ///
  /// @throws moe.spi.error.MoeException kind `UNSUPPORTED` exactly when `supports` says no, kind
  ///   `MEMORY` if the device is full
  S create(StageContext context);
}
