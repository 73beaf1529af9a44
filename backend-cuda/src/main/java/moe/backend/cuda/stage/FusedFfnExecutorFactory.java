package moe.backend.cuda.stage;

import java.util.List;
import moe.backend.cuda.CudaBackend;
import moe.spi.stage.ExpertExecutor;
import moe.spi.stage.ExpertExecutorFactory;
import moe.spi.stage.LayerSpec;
import moe.spi.stage.ParameterSpec;
import moe.spi.stage.StageContext;
import moe.spi.stage.StandardParameters;

/// Makes `fused-ffn` executors.
public final class FusedFfnExecutorFactory extends CudaStageFactory<ExpertExecutor>
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
  ExpertExecutor create(CudaBackend backend, StageContext context) {
    return new FusedFfnExecutor(backend, context);
  }
}
