package com.example.plain;

import moe.spi.stage.Combiner;
import moe.spi.stage.CombinerFactory;
import moe.spi.stage.StageContext;

/// Makes `weighted-sum` combiners.
public final class PlainCombinerFactory extends PlainStageFactory<Combiner>
    implements CombinerFactory {
  public PlainCombinerFactory() {
    super("weighted-sum");
  }

  @Override
  Combiner make(StageContext context) {
    return new PlainCombiner(context);
  }
}
