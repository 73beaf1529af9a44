package moe.router.energy;

import java.util.List;
import java.util.Optional;
import moe.spi.SpiVersion;
import moe.spi.Support;
import moe.spi.device.Backend;
import moe.spi.error.ErrorKind;
import moe.spi.error.MoeException;
import moe.spi.stage.LayerSpec;
import moe.spi.stage.OptionSpec;
import moe.spi.stage.ParameterSpec;
import moe.spi.stage.Router;
import moe.spi.stage.RouterFactory;
import moe.spi.stage.StageContext;
import moe.spi.stage.StandardParameters;
import moe.spi.stage.energy.EnergySettings;
import moe.spi.stage.energy.ExpertCosts;

/// Makes `energy-ttt` routers, on every backend that has `topk`.
public final class EnergyTttRouterFactory implements RouterFactory {
  @Override
  public String name() {
    return EnergySettings.NAME;
  }

  @Override
  public int spiVersion() {
    return SpiVersion.CURRENT;
  }

  @Override
  public Optional<String> base() {
    return Optional.of("topk");
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
  public Support supports(LayerSpec spec, Backend backend) {
    return Support.YES;
  }

  @Override
  public Router create(StageContext context) {
    if (context.base().isEmpty()) {
      throw new MoeException(
          ErrorKind.UNSUPPORTED,
          "energy-ttt builds on the router topk, which backend %s does not have"
              .formatted(context.backend().name()));
    }
    return new EnergyTttRouter(context, context.base().get(), ExpertCosts.equal(context.spec()));
  }
}
