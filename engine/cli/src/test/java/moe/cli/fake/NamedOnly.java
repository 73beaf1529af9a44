package moe.cli.fake;

import java.util.List;
import moe.spi.SpiVersion;
import moe.spi.Support;
import moe.spi.device.Backend;
import moe.spi.error.ErrorKind;
import moe.spi.error.MoeException;
import moe.spi.stage.LayerSpec;
import moe.spi.stage.OptionSpec;
import moe.spi.stage.Stage;
import moe.spi.stage.StageContext;
import moe.spi.stage.StageFactory;

/// A factory called `named-only`, with one setting.
abstract class NamedOnly<S extends Stage> implements StageFactory<S> {
  @Override
  public String name() {
    return "named-only";
  }

  @Override
  public int spiVersion() {
    return SpiVersion.CURRENT;
  }

  @Override
  public List<OptionSpec> options() {
    return List.of(OptionSpec.whole("window", 1, 64, "Rows of a window."));
  }

  @Override
  public Support supports(LayerSpec spec, Backend backend) {
    return new Support.No("exists in name only");
  }

  @Override
  public S create(StageContext context) {
    throw new MoeException(ErrorKind.UNSUPPORTED, "exists in name only");
  }
}
