package moe.backend.cuda.stage;

import moe.backend.cuda.CudaBackend;
import moe.spi.stage.Combiner;
import moe.spi.stage.CombinerFactory;
import moe.spi.stage.StageContext;

/// Makes `weighted-sum` combiners.
public final class WeightedSumCombinerFactory extends CudaStageFactory<Combiner>
    implements CombinerFactory {
  public WeightedSumCombinerFactory() {
    super("weighted-sum");
  }

  @Override
  Combiner create(CudaBackend backend, StageContext context) {
    return new WeightedSumCombiner(context.spec());
  }
}
