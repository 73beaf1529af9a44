package moe.conformance.fault;

import java.util.List;
import java.util.Optional;
import java.util.function.UnaryOperator;
import moe.spi.Support;
import moe.spi.device.Backend;
import moe.spi.stage.Combiner;
import moe.spi.stage.CombinerFactory;
import moe.spi.stage.Dispatcher;
import moe.spi.stage.DispatcherFactory;
import moe.spi.stage.ExpertExecutor;
import moe.spi.stage.ExpertExecutorFactory;
import moe.spi.stage.FusedMoe;
import moe.spi.stage.FusedMoeFactory;
import moe.spi.stage.LayerSpec;
import moe.spi.stage.OptionSpec;
import moe.spi.stage.ParameterSpec;
import moe.spi.stage.Router;
import moe.spi.stage.RouterFactory;
import moe.spi.stage.Stage;
import moe.spi.stage.StageContext;
import moe.spi.stage.StageFactory;

/// A stage's factory that is another one, with what a fault makes of its stage.
///
/// @param <S> the stage
class ForwardingFactory<S extends Stage> implements StageFactory<S> {
  final StageFactory<S> real;
  private final UnaryOperator<S> change;

  ForwardingFactory(StageFactory<S> real, UnaryOperator<S> change) {
    this.real = real;
    this.change = change;
  }

  @Override
  public String name() {
    return real.name();
  }

  @Override
  public int spiVersion() {
    return real.spiVersion();
  }

  @Override
  public String backend() {
    return real.backend();
  }

  @Override
  public Support supports(LayerSpec spec, Backend backend) {
    return real.supports(spec, ForwardingBackend.behind(backend));
  }

  @Override
  public List<OptionSpec> options() {
    return real.options();
  }

  @Override
  public List<ParameterSpec> parameters(LayerSpec spec) {
    return real.parameters(spec);
  }

  @Override
  public S create(StageContext context) {
    return change.apply(
        real.create(
            new StageContext(
                ForwardingBackend.behind(context.backend()),
                context.spec(),
                context.parameters(),
                context.options(),
                context.base(),
                context.place())));
  }

  /// Routers.
  static class OfRouter extends ForwardingFactory<Router> implements RouterFactory {
    OfRouter(StageFactory<Router> real, UnaryOperator<Router> change) {
      super(real, change);
    }

    @Override
    public Optional<String> base() {
      return real instanceof RouterFactory router ? router.base() : Optional.empty();
    }
  }

  /// Dispatchers.
  static class OfDispatcher extends ForwardingFactory<Dispatcher> implements DispatcherFactory {
    OfDispatcher(StageFactory<Dispatcher> real, UnaryOperator<Dispatcher> change) {
      super(real, change);
    }
  }

  /// Executors.
  static class OfExperts extends ForwardingFactory<ExpertExecutor>
      implements ExpertExecutorFactory {
    OfExperts(StageFactory<ExpertExecutor> real, UnaryOperator<ExpertExecutor> change) {
      super(real, change);
    }
  }

  /// Combiners.
  static class OfCombiner extends ForwardingFactory<Combiner> implements CombinerFactory {
    OfCombiner(StageFactory<Combiner> real, UnaryOperator<Combiner> change) {
      super(real, change);
    }
  }

  /// Fusions.
  static class OfFusion extends ForwardingFactory<FusedMoe> implements FusedMoeFactory {
    OfFusion(StageFactory<FusedMoe> real, UnaryOperator<FusedMoe> change) {
      super(real, change);
    }

    @Override
    public String experts() {
      return "fused-ffn";
    }
  }
}
