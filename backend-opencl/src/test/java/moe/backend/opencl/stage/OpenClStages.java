package moe.backend.opencl.stage;

import moe.backend.tests.Stages;

/// The backend's own factories.
public final class OpenClStages {
  public static final Stages ALL =
      new Stages(
          new TopKRouterFactory(),
          new SortedDispatcherFactory(),
          new FusedFfnExecutorFactory(),
          new WeightedSumCombinerFactory(),
          new OpenClFusedMoeFactory());

  private OpenClStages() {}
}
