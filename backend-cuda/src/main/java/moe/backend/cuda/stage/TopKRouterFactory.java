package moe.backend.cuda.stage;

import java.util.List;
import moe.backend.cuda.CudaBackend;
import moe.spi.stage.LayerSpec;
import moe.spi.stage.ParameterSpec;
import moe.spi.stage.Router;
import moe.spi.stage.RouterFactory;
import moe.spi.stage.StageContext;
import moe.spi.stage.StandardParameters;

/// Makes `topk` routers.
public final class TopKRouterFactory extends CudaStageFactory<Router> implements RouterFactory {
  public TopKRouterFactory() {
    super("topk");
  }

  @Override
  public List<ParameterSpec> parameters(LayerSpec spec) {
    return StandardParameters.linearRouter(spec);
  }

  @Override
  Router create(CudaBackend backend, StageContext context) {
    return new TopKRouter(backend, context, false);
  }
}
