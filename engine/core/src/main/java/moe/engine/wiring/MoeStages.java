package moe.engine.wiring;

import moe.spi.stage.Combiner;
import moe.spi.stage.Dispatcher;
import moe.spi.stage.ExpertExecutor;
import moe.spi.stage.FusedMoe;
import moe.spi.stage.Router;

/// The stages of one MoE block, ready to run.
public sealed interface MoeStages extends AutoCloseable {
  /// Chooses the experts of each token.
  Router router();

  /// Closes all stages.
  @Override
  void close();

  /// One stage after the other.
  record Staged(Router router, Dispatcher dispatcher, ExpertExecutor experts, Combiner combiner)
      implements MoeStages {
    @Override
    public void close() {
      Closing.all(combiner, experts, dispatcher, router);
    }
  }

  /// Router, then all the rest in one.
  record Fused(Router router, FusedMoe moe) implements MoeStages {
    @Override
    public void close() {
      Closing.all(moe, router);
    }
  }
}
