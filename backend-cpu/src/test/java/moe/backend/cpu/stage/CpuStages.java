package moe.backend.cpu.stage;

import moe.backend.tests.Stages;

/// The backend's own factories.
public final class CpuStages {
  public static final Stages ALL =
      new Stages(
          new TopKRouterFactory(),
          new SortedDispatcherFactory(),
          new FusedFfnExecutorFactory(),
          new WeightedSumCombinerFactory(),
          new CpuFusedMoeFactory());

  private CpuStages() {}
}
