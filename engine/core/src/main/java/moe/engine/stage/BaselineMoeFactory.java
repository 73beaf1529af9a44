package moe.engine.stage;

import java.util.List;
import moe.spi.SpiVersion;
import moe.spi.Support;
import moe.spi.device.Backend;
import moe.spi.stage.FusedMoe;
import moe.spi.stage.FusedMoeFactory;
import moe.spi.stage.LayerSpec;
import moe.spi.stage.ParameterSpec;
import moe.spi.stage.StageContext;
import moe.spi.stage.StandardParameters;

/// Makes the path `baseline`, on every backend.
public final class BaselineMoeFactory implements FusedMoeFactory {
  @Override
  public String name() {
    return "baseline";
  }

  @Override
  public int spiVersion() {
    return SpiVersion.CURRENT;
  }

  @Override
  public String experts() {
    return "fused-ffn";
  }

  @Override
  public Support supports(LayerSpec spec, Backend backend) {
    return Support.YES;
  }

  @Override
  public List<ParameterSpec> parameters(LayerSpec spec) {
    return StandardParameters.feedForward(spec);
  }

  @Override
  public FusedMoe create(StageContext context) {
    return new BaselineMoe(context);
  }
}
