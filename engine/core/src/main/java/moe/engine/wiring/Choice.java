package moe.engine.wiring;

import java.util.List;
import java.util.Optional;
import moe.spi.device.Backend;
import moe.spi.stage.LayerSpec;
import moe.spi.stage.Options;
import moe.spi.stage.ParameterSpec;
import moe.spi.stage.Parameters;
import moe.spi.stage.Router;
import moe.spi.stage.Stage;
import moe.spi.stage.StageContext;
import moe.spi.stage.StageFactory;

/// A stage that was chosen: the factory that makes it and the settings it is made with.
///
/// @param <S> the stage
/// @param base what makes the router that a router builds on
public record Choice<S extends Stage>(
    StageFactory<S> factory, Options options, Optional<StageFactory<Router>> base) {
  Choice(StageFactory<S> factory, Options options) {
    this(factory, options, Optional.empty());
  }

  List<ParameterSpec> parameters(LayerSpec spec) {
    return factory.parameters(spec, options);
  }

  S create(Backend backend, LayerSpec spec, Parameters parameters, StageContext.Place place) {
    return factory.create(new StageContext(backend, spec, parameters, options, base, place));
  }

  /// For example `sorted (cpu)`.
  @Override
  public String toString() {
    return "%s (%s)"
        .formatted(
            factory.name(),
            factory.backend().equals(StageFactory.ANY_BACKEND) ? "any backend" : factory.backend());
  }
}
