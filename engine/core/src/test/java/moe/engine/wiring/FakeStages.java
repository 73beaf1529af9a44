package moe.engine.wiring;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import moe.spi.SpiVersion;
import moe.spi.Support;
import moe.spi.device.Backend;
import moe.spi.device.DType;
import moe.spi.device.DeviceStream;
import moe.spi.device.Shape;
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
import moe.spi.stage.Initialisation;
import moe.spi.stage.LayerSpec;
import moe.spi.stage.ParameterSpec;
import moe.spi.stage.Router;
import moe.spi.stage.RouterFactory;
import moe.spi.stage.Routing;
import moe.spi.stage.Stage;
import moe.spi.stage.StageContext;
import moe.spi.stage.StageFactory;

/// Factories of stages that do nothing and note when they are closed.
final class FakeStages {
  private FakeStages() {}

  /// What all these factories have in common.
  abstract static class Fake<S extends Stage> implements StageFactory<S> {
    final List<String> closed = new ArrayList<>();
    private final String name;
    private final String backend;
    private Support support = Support.YES;

    Fake(String name, String backend) {
      this.name = name;
      this.backend = backend;
    }

    /// Makes `supports` refuse.
    Fake<S> refusing(String reason) {
      support = new Support.No(reason);
      return this;
    }

    @Override
    public String name() {
      return name;
    }

    @Override
    public int spiVersion() {
      return SpiVersion.CURRENT;
    }

    @Override
    public String backend() {
      return backend;
    }

    @Override
    public Support supports(LayerSpec spec, Backend open) {
      return support;
    }

    @Override
    public List<ParameterSpec> parameters(LayerSpec spec) {
      return List.of(new ParameterSpec(name, DType.F32, Shape.of(1), Initialisation.ZEROS, false));
    }
  }

  static final class Routers extends Fake<Router> implements RouterFactory {
    Routers(String name, String backend) {
      super(name, backend);
    }

    @Override
    public Router create(StageContext context) {
      return new Router() {
        @Override
        public void route(Tensor tokens, Routing out, DeviceStream stream) {}

        @Override
        public Optional<Router.Backward> backward() {
          return Optional.of((tokens, routing, dGates, dTokens, stream) -> {});
        }

        @Override
        public void close() {
          closed.add(name());
        }
      };
    }
  }

  static final class Dispatchers extends Fake<Dispatcher> implements DispatcherFactory {
    Dispatchers(String name, String backend) {
      super(name, backend);
    }

    @Override
    public Dispatcher create(StageContext context) {
      return new Dispatcher() {
        @Override
        public boolean copiesRows() {
          return false;
        }

        @Override
        public void dispatch(Tensor tokens, Routing routing, Dispatched out, DeviceStream stream) {}

        @Override
        public void close() {
          closed.add(name());
        }
      };
    }
  }

  static final class Executors extends Fake<ExpertExecutor> implements ExpertExecutorFactory {
    private final boolean needsRows;

    Executors(String name, String backend, boolean needsRows) {
      super(name, backend);
      this.needsRows = needsRows;
    }

    @Override
    public ExpertExecutor create(StageContext context) {
      return new ExpertExecutor() {
        @Override
        public boolean needsRows() {
          return needsRows;
        }

        @Override
        public void execute(Tensor tokens, Dispatched in, Tensor expertRows, DeviceStream stream) {}

        @Override
        public void close() {
          closed.add(name());
        }
      };
    }
  }

  static final class Combiners extends Fake<Combiner> implements CombinerFactory {
    Combiners(String name, String backend) {
      super(name, backend);
    }

    @Override
    public Combiner create(StageContext context) {
      return new Combiner() {
        @Override
        public void combine(
            Tensor expertRows,
            Dispatched dispatched,
            Routing routing,
            Tensor out,
            DeviceStream stream) {}

        @Override
        public void close() {
          closed.add(name());
        }
      };
    }
  }

  static final class Fusions extends Fake<FusedMoe> implements FusedMoeFactory {
    private final String experts;

    Fusions(String name, String experts, String backend) {
      super(name, backend);
      this.experts = experts;
    }

    @Override
    public String experts() {
      return experts;
    }

    @Override
    public FusedMoe create(StageContext context) {
      return new FusedMoe() {
        @Override
        public void run(Tensor tokens, Routing routing, Tensor out, DeviceStream stream) {}

        @Override
        public Optional<FusedMoe.Backward> backward() {
          return Optional.of((tokens, routing, dOut, dGates, dTokens, stream) -> {});
        }

        @Override
        public void close() {
          closed.add(name());
        }
      };
    }
  }
}
