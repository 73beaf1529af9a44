package moe.backend.cuda.stage;

import java.util.List;
import moe.backend.cuda.CudaBackend;
import moe.backend.cuda.HalfProducts;
import moe.spi.stage.FusedMoe;
import moe.spi.stage.FusedMoeFactory;
import moe.spi.stage.LayerSpec;
import moe.spi.stage.ParameterSpec;
import moe.spi.stage.StageContext;
import moe.spi.stage.StandardParameters;

/// Makes the `fused` path of `fused-ffn` experts.
public final class CudaFusedMoeFactory extends CudaStageFactory<FusedMoe>
    implements FusedMoeFactory {
  public CudaFusedMoeFactory() {
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
  FusedMoe create(CudaBackend backend, StageContext context) {
    HalfProducts half = HalfNetwork.productsFor(backend, context);
    return half == null
        ? new CudaFusedMoe(backend, context)
        : new HalfFusedMoe(backend, half, context);
  }
}
