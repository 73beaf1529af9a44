package moe.backend.cpu.stage;

import moe.backend.cpu.CpuBackend;
import moe.spi.stage.Combiner;
import moe.spi.stage.CombinerFactory;
import moe.spi.stage.StageContext;

/// Makes `weighted-sum` combiners.
public final class WeightedSumCombinerFactory extends CpuStageFactory<Combiner>
    implements CombinerFactory {
  public WeightedSumCombinerFactory() {
    super("weighted-sum");
  }

  @Override
  Combiner create(CpuBackend backend, StageContext context) {
    return new WeightedSumCombiner(backend, context.spec());
  }
}
