package com.example.plain;

import java.util.List;
import moe.spi.stage.ExpertExecutor;
import moe.spi.stage.ExpertExecutorFactory;
import moe.spi.stage.LayerSpec;
import moe.spi.stage.ParameterSpec;
import moe.spi.stage.StageContext;
import moe.spi.stage.StandardParameters;

/// Makes `fused-ffn` executors.
public final class PlainExpertsFactory extends PlainStageFactory<ExpertExecutor>
    implements ExpertExecutorFactory {
  public PlainExpertsFactory() {
    super("fused-ffn");
  }

  @Override
  public List<ParameterSpec> parameters(LayerSpec spec) {
    return StandardParameters.feedForward(spec);
  }

  @Override
  ExpertExecutor make(StageContext context) {
    return new PlainExperts(context);
  }
}
