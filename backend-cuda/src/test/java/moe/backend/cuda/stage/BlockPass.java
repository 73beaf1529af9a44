package moe.backend.cuda.stage;

import java.util.ServiceLoader;
import moe.spi.device.Backend;
import moe.spi.device.DeviceStream;
import moe.spi.device.Tensor;
import moe.spi.stage.Combiner;
import moe.spi.stage.CombinerFactory;
import moe.spi.stage.Dispatched;
import moe.spi.stage.Dispatcher;
import moe.spi.stage.DispatcherFactory;
import moe.spi.stage.ExpertExecutor;
import moe.spi.stage.ExpertExecutorFactory;
import moe.spi.stage.FusedMoe;
import moe.spi.stage.FusedMoeFactory;
import moe.spi.stage.LayerSpec;
import moe.spi.stage.Options;
import moe.spi.stage.Parameters;
import moe.spi.stage.Router;
import moe.spi.stage.RouterFactory;
import moe.spi.stage.Routing;
import moe.spi.stage.Stage;
import moe.spi.stage.StageContext;
import moe.spi.stage.StageFactory;

/// A pass through all stages of a block, by the services of the SPI: forward, and back if it
/// trains.
record BlockPass(StageContext context, DeviceStream stream, Buffers at) {
  BlockPass(
      Backend backend, DeviceStream stream, LayerSpec spec, Parameters parameters, Buffers at) {
    this(new StageContext(backend, spec, parameters, Options.NONE), stream, at);
  }

  /// What a block reads and writes.
  ///
  /// @param rows F32 `[slots, dModel]` of the staged path, as `dRows`
  record Buffers(
      Tensor tokens,
      Routing routing,
      Tensor out,
      Tensor dOut,
      Tensor dGates,
      Tensor dTokens,
      Dispatched plan,
      Tensor rows,
      Tensor dRows) {}

  void run(boolean fused) {
    try (Router router = make(RouterFactory.class, "topk", context)) {
      router.route(at.tokens, at.routing, stream);
      if (fused) {
        fused();
      } else {
        staged();
      }
      if (context.spec().training()) {
        router
            .backward()
            .orElseThrow()
            .backward(at.tokens, at.routing, at.dGates, at.dTokens, stream);
      }
    }
  }

  private void fused() {
    try (FusedMoe fused = make(FusedMoeFactory.class, "fused", context)) {
      fused.run(at.tokens, at.routing, at.out, stream);
      if (context.spec().training()) {
        fused
            .backward()
            .orElseThrow()
            .backward(at.tokens, at.routing, at.dOut, at.dGates, at.dTokens, stream);
      }
    }
  }

  private void staged() {
    try (Dispatcher dispatcher = make(DispatcherFactory.class, "sorted", context);
        ExpertExecutor executor = make(ExpertExecutorFactory.class, "fused-ffn", context);
        Combiner combiner = make(CombinerFactory.class, "weighted-sum", context)) {
      dispatcher.dispatch(at.tokens, at.routing, at.plan, stream);
      executor.execute(at.tokens, at.plan, at.rows, stream);
      combiner.combine(at.rows, at.plan, at.routing, at.out, stream);
      if (!context.spec().training()) {
        return;
      }
      combiner
          .backward()
          .orElseThrow()
          .backward(at.dOut, at.rows, at.plan, at.routing, at.rows, at.dGates, stream);
      executor.backward().orElseThrow().backward(at.tokens, at.plan, at.rows, at.dRows, stream);
      dispatcher.backward().orElseThrow().backward(at.dRows, at.plan, at.dTokens, stream);
    }
  }

  private static <S extends Stage, F extends StageFactory<S>> S make(
      Class<F> service, String name, StageContext context) {
    for (F factory : ServiceLoader.load(service)) {
      if (factory.name().equals(name) && factory.backend().equals(context.backend().name())) {
        return factory.create(context);
      }
    }
    throw new AssertionError("no " + name);
  }
}
