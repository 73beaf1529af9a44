package moe.backend.opencl.stage;

import java.util.List;
import moe.spi.stage.FusedMoe;
import moe.spi.stage.FusedMoeFactory;
import moe.spi.stage.LayerSpec;
import moe.spi.stage.ParameterSpec;
import moe.spi.stage.StageContext;
import moe.spi.stage.StandardParameters;

/// Makes the `fused` path of `fused-ffn` experts.
public final class OpenClFusedMoeFactory extends OpenClStageFactory<FusedMoe>
    implements FusedMoeFactory {
  public OpenClFusedMoeFactory() {
    super("fused");
  }

  @Override
  public String experts() {
    return FusedFfnExecutorFactory.NAME;
  }

  @Override
  public List<ParameterSpec> parameters(LayerSpec spec) {
    return StandardParameters.feedForward(spec);
  }

  @Override
  FusedMoe create(StageParts parts, StageContext context) {
    return new OpenClFusedMoe(parts, context);
  }
}
