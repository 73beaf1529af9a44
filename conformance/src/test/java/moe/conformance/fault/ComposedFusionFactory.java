package moe.conformance.fault;

import com.example.plain.PlainCombinerFactory;
import com.example.plain.PlainDispatcherFactory;
import com.example.plain.PlainExpertsFactory;
import java.util.List;
import moe.spi.SpiVersion;
import moe.spi.Support;
import moe.spi.device.Backend;
import moe.spi.error.ErrorKind;
import moe.spi.error.MoeException;
import moe.spi.stage.FusedMoe;
import moe.spi.stage.FusedMoeFactory;
import moe.spi.stage.LayerSpec;
import moe.spi.stage.ParameterSpec;
import moe.spi.stage.StageContext;

/// Makes a fusion of the example backend's stages, which has none of its own.
final class ComposedFusionFactory implements FusedMoeFactory {
  private final PlainExpertsFactory experts = new PlainExpertsFactory();

  @Override
  public String name() {
    return "fused";
  }

  @Override
  public int spiVersion() {
    return SpiVersion.CURRENT;
  }

  @Override
  public String backend() {
    return experts.backend();
  }

  @Override
  public String experts() {
    return experts.name();
  }

  @Override
  public Support supports(LayerSpec spec, Backend backend) {
    return experts.supports(spec, backend);
  }

  @Override
  public List<ParameterSpec> parameters(LayerSpec spec) {
    return experts.parameters(spec);
  }

  @Override
  public FusedMoe create(StageContext context) {
    if (supports(context.spec(), context.backend()) instanceof Support.No(String reason)) {
      throw new MoeException(ErrorKind.UNSUPPORTED, "fused: " + reason);
    }
    return new ComposedFusion(
        context,
        new PlainDispatcherFactory().create(context),
        experts.create(context),
        new PlainCombinerFactory().create(context));
  }
}
