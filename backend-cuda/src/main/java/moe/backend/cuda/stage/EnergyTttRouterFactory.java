package moe.backend.cuda.stage;

import java.util.List;
import moe.backend.cuda.CudaBackend;
import moe.spi.stage.LayerSpec;
import moe.spi.stage.OptionSpec;
import moe.spi.stage.ParameterSpec;
import moe.spi.stage.Router;
import moe.spi.stage.RouterFactory;
import moe.spi.stage.StageContext;
import moe.spi.stage.StandardParameters;
import moe.spi.stage.energy.EnergySettings;

/// Makes `energy-ttt` routers that choose and learn on the device.
public final class EnergyTttRouterFactory extends CudaStageFactory<Router>
    implements RouterFactory {
  public EnergyTttRouterFactory() {
    super(EnergySettings.NAME);
  }

  @Override
  public List<OptionSpec> options() {
    return EnergySettings.options();
  }

  @Override
  public List<ParameterSpec> parameters(LayerSpec spec) {
    return StandardParameters.linearRouter(spec);
  }

  @Override
  Router create(CudaBackend backend, StageContext context) {
    return new EnergyTttRouter(backend, context);
  }
}
