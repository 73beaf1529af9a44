package moe.backend.cpu.stage;

import java.util.List;
import moe.backend.cpu.CpuBackend;
import moe.spi.stage.FusedMoe;
import moe.spi.stage.FusedMoeFactory;
import moe.spi.stage.LayerSpec;
import moe.spi.stage.ParameterSpec;
import moe.spi.stage.StageContext;
import moe.spi.stage.StandardParameters;

/// Makes the `fused` path of `fused-ffn` experts.
public final class CpuFusedMoeFactory extends CpuStageFactory<FusedMoe> implements FusedMoeFactory {
  public CpuFusedMoeFactory() {
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
  FusedMoe create(CpuBackend backend, StageContext context) {
    return new CpuFusedMoe(backend, context);
  }
}
