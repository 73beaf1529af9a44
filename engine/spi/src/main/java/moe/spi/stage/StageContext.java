package moe.spi.stage;

import java.util.Optional;
import moe.spi.device.Backend;

/// All that a stage is made from.
///
/// @param backend open for as long as the stage lives
/// @param spec the block
/// @param parameters the block's trained tensors, owned by the engine
/// @param options the stage's own settings
/// @param base what makes the router that a router builds on, if its factory names one
/// @param place which of the model's blocks it is
public record StageContext(
    Backend backend,
    LayerSpec spec,
    Parameters parameters,
    Options options,
    Optional<StageFactory<Router>> base,
    Place place) {
  /// A stage of the only block, with no other to build on.
  public StageContext(Backend backend, LayerSpec spec, Parameters parameters, Options options) {
    this(backend, spec, parameters, options, Optional.empty(), Place.ONLY);
  }

  /// Which of a model's blocks a stage belongs to.
  ///
  /// @param layer from 0
  /// @param layers how many there are
  public record Place(int layer, int layers) {
    /// The block of a model of one layer.
    public static final Place ONLY = new Place(0, 1);

    public Place {
      if (layer < 0 || layer >= layers) {
        throw new IllegalArgumentException("layer %d of %d".formatted(layer, layers));
      }
    }
  }
}
