package moe.backend.tests;

import java.util.List;
import moe.spi.stage.CombinerFactory;
import moe.spi.stage.DispatcherFactory;
import moe.spi.stage.ExpertExecutorFactory;
import moe.spi.stage.FusedMoeFactory;
import moe.spi.stage.RouterFactory;
import moe.spi.stage.Stage;
import moe.spi.stage.StageFactory;

/// A backend's own factories of all stages.
public record Stages(
    RouterFactory router,
    DispatcherFactory dispatcher,
    ExpertExecutorFactory executor,
    CombinerFactory combiner,
    FusedMoeFactory fused) {
  List<StageFactory<? extends Stage>> all() {
    return List.of(router, dispatcher, executor, combiner, fused);
  }
}
