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

/// Makes `energy-ttt` routers, on every backend that has `topk`.
public final class EnergyTttRouterFactory implements RouterFactory {
  @Override
  public String name() {
    return "energy-ttt";
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
    return List.of(
        OptionSpec.whole(
            Settings.CHUNK,
            1,
            1 << 20,
            "Least tokens of a chunk that ttt = \"local\" learns from; a batch is never split. 1."),
        OptionSpec.number(
            Settings.NORM, 0, 1e6, "The largest Euclidean norm of a layer's fast weights. 1.0."),
        OptionSpec.number(
            Settings.EVENNESS,
            0,
            1e6,
            "Weight of evenness beside energy in ttt = \"local\" (μ). 0.01."),
        OptionSpec.number(
            Settings.FLOPS_PER_BYTE,
            1e-6,
            1e9,
            "Operations that cost as much energy as reading a byte, until a meter tells. 50."));
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
