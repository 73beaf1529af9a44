package moe.backend.opencl.stage;

import java.util.List;
import moe.spi.stage.ExpertExecutor;
import moe.spi.stage.ExpertExecutorFactory;
import moe.spi.stage.LayerSpec;
import moe.spi.stage.ParameterSpec;
import moe.spi.stage.StageContext;
import moe.spi.stage.StandardParameters;

/// Makes `fused-ffn` executors.
public final class FusedFfnExecutorFactory extends OpenClStageFactory<ExpertExecutor>
    implements ExpertExecutorFactory {
  static final String NAME = "fused-ffn";

  public FusedFfnExecutorFactory() {
    super(NAME);
  }

  @Override
  public List<ParameterSpec> parameters(LayerSpec spec) {
    return StandardParameters.feedForward(spec);
  }

  @Override
  ExpertExecutor create(StageParts parts, StageContext context) {
    return new FusedFfnExecutor(parts, context);
  }
}
