package moe.engine.stage;

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

/// Makes `replay` routers, on every backend that has `topk`.
public final class ReplayRouterFactory implements RouterFactory {
  private static final String PATH = "path";

  @Override
  public String name() {
    return "replay";
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
    return List.of(OptionSpec.text(PATH, "The directory that `capture` of another run wrote."));
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
    String directory = context.options().text(PATH, "");
    if (directory.isEmpty()) {
      throw new MoeException(
          ErrorKind.USAGE,
          "[router] type = \"replay\" needs path = \"DIR\": what router.capture of another run"
              + " wrote");
    }
    return new ReplayRouter(context, directory);
  }
}
