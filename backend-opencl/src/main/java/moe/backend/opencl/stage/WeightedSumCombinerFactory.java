package moe.backend.opencl.stage;

import moe.spi.stage.Combiner;
import moe.spi.stage.CombinerFactory;
import moe.spi.stage.StageContext;

/// Makes `weighted-sum` combiners.
public final class WeightedSumCombinerFactory extends OpenClStageFactory<Combiner>
    implements CombinerFactory {
  public WeightedSumCombinerFactory() {
    super("weighted-sum");
  }

  @Override
  Combiner create(StageParts parts, StageContext context) {
    return new WeightedSumCombiner(parts, context.spec());
  }
}
